// The request that produces: Apache Kafka 3.9, protocol guide, "Produce Request (Version: 9)".
import { type Broker, type Connection, createAPI, ProduceAcks, produceV9, Writer } from '@platformatic/kafka';
import { batchOf, type OutgoingRecord } from './kafka-batch.ts';

/** What goes to one server in one request: records by topic and partition. */
class Shipment {
  readonly #topics = new Map<string, Map<number, OutgoingRecord[]>>();

  add(topic: string, partition: number, record: OutgoingRecord): void {
    let partitions = this.#topics.get(topic);
    if (partitions === undefined) this.#topics.set(topic, (partitions = new Map()));
    const records = partitions.get(partition);
    if (records === undefined) partitions.set(partition, [record]);
    else records.push(record);
  }

  get topics(): readonly string[] {
    return [...this.#topics.keys()];
  }

  /** Resolves when all copies in sync have everything. */
  async send(connection: Connection, timeoutMs: number): Promise<void> {
    await produce.async(connection, this, timeoutMs);
  }

  request(timeoutMs: number): Writer {
    return Writer.create()
      .appendString(null)
      .appendInt16(ProduceAcks.ALL)
      .appendInt32(timeoutMs)
      .appendArray([...this.#topics], (topics, [name, partitions]) => {
        topics.appendString(name).appendArray([...partitions], (out, [partition, records]) => {
          const batch = batchOf(records);
          out
            .appendInt32(partition)
            .appendUnsignedVarInt(batch.length + 1)
            .append(batch);
        });
      })
      .appendTaggedFields();
  }
}

/** What goes to all servers. */
export class Shipments {
  readonly #servers = new Map<string, readonly [Broker, Shipment]>();

  /** What goes to this one; a partition without a leader goes nowhere, and says so when it is sent. */
  to(server: Broker = nowhere): Shipment {
    const place = `${server.host}:${server.port}`;
    const [, known] = this.#servers.get(place) ?? [];
    if (known !== undefined) return known;
    const shipment = new Shipment();
    this.#servers.set(place, [server, shipment]);
    return shipment;
  }

  get all(): readonly (readonly [Broker, Shipment])[] {
    return [...this.#servers.values()];
  }
}

const nowhere: Broker = { host: '', port: 0 };
const produceKey = 0;
const produce = createAPI<[shipment: Shipment, timeoutMs: number], produceV9.ProduceResponse>(
  produceKey,
  9,
  (shipment: Shipment, timeoutMs: number) => shipment.request(timeoutMs),
  produceV9.parseResponse,
);
