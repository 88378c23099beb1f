import {
  type Broker,
  type Connection,
  type ConnectionOptions,
  ConnectionPool,
  findCoordinatorV4,
  metadataV12,
} from '@platformatic/kafka';
import { noTopic } from '../../topic/topic-error.ts';
import { kafkaError, refusalOf } from './kafka-error.ts';

/** Where Kafka is, and who we are there. */
export interface KafkaPlace extends Pick<ConnectionOptions, 'tls' | 'sasl'> {
  /** Some of the servers, as `host:port`; the others are learnt from them. */
  readonly brokers: readonly string[];
  /** Where a server that calls itself so is reached from here, e.g. through a tunnel. Default: where it says. */
  readonly reach?: (server: Broker) => Broker;
}

/** A topic as the cluster has it now. */
export interface KafkaTopic {
  readonly id: string;
  /** By number of the partition: who leads it. */
  readonly leaders: readonly Broker[];
}

const clientId = 'heddle';
const times = { connectTimeout: 5000, requestTimeout: 10_000 };

/**
 * The servers of a cluster, who leads which partition and who keeps which group. What turns out to be wrong is forgotten
 * with `forget`, and asked for again with the next use.
 */
export class KafkaCluster {
  readonly #place: KafkaPlace;
  readonly #seeds: Broker[];
  readonly #pool: ConnectionPool;
  readonly #topics = new Map<string, Promise<KafkaTopic>>();
  readonly #coordinators = new Map<string, Promise<Broker>>();
  readonly #pools = new Set<ConnectionPool>();

  constructor(place: KafkaPlace) {
    this.#place = place;
    this.#seeds = place.brokers.map(brokerOf);
    this.#pool = this.pool();
  }

  /** Connections of their own: Kafka answers the requests of one connection one after another. */
  pool(requestTimeoutMs: number = times.requestTimeout): ConnectionPool {
    const { tls, sasl } = this.#place;
    const options = {
      ...times,
      requestTimeout: requestTimeoutMs,
      ...(tls && { tls }),
      ...(sasl && { sasl }),
    };
    const pool = new ConnectionPool(clientId, options);
    this.#pools.add(pool);
    return pool;
  }

  /** Closes one of `pool`. Never rejects. */
  async closePool(pool: ConnectionPool): Promise<void> {
    this.#pools.delete(pool);
    await pool.close().catch(() => {});
  }

  /** A connection for short requests. */
  async connection(broker: Broker): Promise<Connection> {
    return this.#pool.get(broker);
  }

  /** A connection to any of the servers that are known by address. */
  async any(): Promise<Connection> {
    return this.#pool.getFirstAvailable(this.#seeds);
  }

  /** `not_found` / `NO_TOPIC` if there is none. */
  topic(name: string, shown: string): Promise<KafkaTopic> {
    return remembered(this.#topics, name, async () => {
      const { brokers, topics } = await metadataV12.api
        .async(await this.any(), [name], false, false)
        .catch((thrown: unknown) => {
          if (refusalOf(thrown) === 'UNKNOWN_TOPIC_OR_PARTITION') throw noTopic(shown);
          throw thrown;
        });
      const [topic] = topics;
      if (topic === undefined) throw noTopic(shown);
      const places = new Map(
        brokers.map(({ nodeId, host, port }) => [nodeId, this.#reached({ host, port })]),
      );
      const leaders = topic.partitions
        .toSorted((a, b) => a.partitionIndex - b.partitionIndex)
        .map(({ leaderId }) => places.get(leaderId) ?? (this.#seeds[0] as Broker));
      return { id: topic.topicId, leaders };
    });
  }

  /** The server that keeps a group. */
  coordinator(group: string): Promise<Broker> {
    return remembered(this.#coordinators, group, async () => {
      const { coordinators } = await findCoordinatorV4.api.async(await this.any(), 0, [group]);
      const [found] = coordinators;
      if (found === undefined) throw new Error(`no coordinator for group ${group}`);
      return this.#reached({ host: found.host, port: found.port });
    });
  }

  /** The topic has changed, or its leaders have. */
  forget(topic: string): void {
    this.#topics.delete(topic);
  }

  /** The group is kept elsewhere by now. */
  forgetGroup(group: string): void {
    this.#coordinators.delete(group);
  }

  #reached(server: Broker): Broker {
    return this.#place.reach?.(server) ?? server;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools].map((pool) => this.closePool(pool)));
  }
}

/** Asked for once; what failed is asked for again. */
function remembered<T>(known: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
  const found = known.get(key);
  if (found !== undefined) return found;
  const asked: Promise<T> = ask().catch((thrown: unknown) => {
    if (known.get(key) === asked) known.delete(key);
    throw kafkaError(thrown);
  });
  known.set(key, asked);
  return asked;
}

function brokerOf(text: string): Broker {
  const at = text.lastIndexOf(':');
  return { host: text.slice(0, at), port: Number(text.slice(at + 1)) };
}
