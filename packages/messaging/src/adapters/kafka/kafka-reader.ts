import { HeddleError, type Runtime, sleep } from '@heddle/kernel';
import type { Broker, ConnectionPool } from '@platformatic/kafka';
import type { Stored } from '../../log/log-store.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { kafkaError } from './kafka-error.ts';
import { type Fetched, fetchFrom, type Wanted } from './kafka-fetch.ts';

/** A place of a partition that somebody reads from, and what has been read ahead there. */
interface Reader {
  readonly topic: string;
  readonly kafkaTopic: string;
  readonly topicId: string;
  readonly partition: number;
  readonly leader: Broker;
  /** What is asked for next. */
  next: number;
  ahead: Stored[];
  usedMs: number;
}

// So much is read ahead of a consumer that is slower than the server.
const mostAhead = 2000;
// While nobody has anything to read, a new reader waits for so long at most to be waited for with the others.
const waitMs = 100;
const unusedAfterMs = 30_000;
const offsetOutOfRange = 1;

/**
 * Reads partitions, and waits at their ends: one request per server waits for all of them, on a connection of its own,
 * and `onAppend` is called with the topic whose messages came.
 */
export class KafkaReaders {
  readonly #runtime: Runtime;
  readonly #cluster: KafkaCluster;
  readonly #kafkaName: (topic: string) => string;
  readonly #onAppend: (topic: string) => void;
  readonly #waiting: ConnectionPool;
  /** By where their owner is. */
  readonly #kept = new Map<string, Reader>();
  readonly #following = new Map<string, Promise<void>>();
  /** Those that the request that is under way asks for. */
  readonly #waitedFor = new Set<Reader>();
  #closed = false;

  constructor(
    runtime: Runtime,
    cluster: KafkaCluster,
    kafkaName: (topic: string) => string,
    onAppend: (topic: string) => void,
  ) {
    this.#runtime = runtime;
    this.#cluster = cluster;
    this.#kafkaName = kafkaName;
    this.#onAppend = onAppend;
    this.#waiting = cluster.pool();
  }

  /** Up to `max` messages from offset `from` on; none if there are none yet. */
  async read(topic: string, partition: number, from: number, max: number): Promise<readonly Stored[]> {
    const key = keyOf(topic, partition, from);
    const reader = this.#kept.get(key) ?? (await this.#open(topic, partition, from));
    this.#kept.delete(key);
    if (reader.ahead.length === 0 && !this.#waitedFor.has(reader)) await this.#fill(reader);
    const found = reader.ahead.slice(0, max);
    reader.ahead = reader.ahead.slice(max);
    reader.usedMs = this.#runtime.clock.nowMs();
    const at = found.at(-1);
    this.#kept.set(keyOf(topic, partition, at === undefined ? from : at.offset + 1), reader);
    this.#follow(reader.leader);
    return found;
  }

  /** Forgets what was read of a topic. */
  drop(topic: string): void {
    for (const [key, reader] of this.#kept) if (reader.topic === topic) this.#kept.delete(key);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#kept.clear();
    await this.#cluster.closePool(this.#waiting);
    await Promise.all(this.#following.values());
  }

  async #open(topic: string, partition: number, from: number): Promise<Reader> {
    const kafkaTopic = this.#kafkaName(topic);
    const { id, leaders } = await this.#cluster.topic(kafkaTopic, topic);
    const leader = leaders[partition];
    if (leader === undefined) throw noPartition(topic, partition);
    return {
      topic,
      kafkaTopic,
      topicId: id,
      partition,
      leader,
      next: from,
      ahead: [],
      usedMs: this.#runtime.clock.nowMs(),
    };
  }

  async #fill(reader: Reader): Promise<void> {
    try {
      const connection = await this.#cluster.connection(reader.leader);
      for (const fetched of await fetchFrom(connection, [wantedOf(reader)], 0)) accept(reader, fetched);
    } catch (thrown) {
      this.#cluster.forget(reader.kafkaTopic);
      throw kafkaError(thrown);
    }
  }

  /** Waits at this server for as long as there is somebody to wait for. */
  #follow(leader: Broker): void {
    const place = `${leader.host}:${leader.port}`;
    if (this.#closed || this.#following.has(place)) return;
    const following = this.#wait(leader).finally(() => {
      this.#following.delete(place);
    });
    this.#following.set(place, following);
  }

  async #wait(leader: Broker): Promise<void> {
    for (;;) {
      const readers = this.#readersAt(leader);
      if (readers.length === 0 || this.#closed) return;
      try {
        await this.#waitOnce(leader, readers);
      } catch {
        // Those who read hear of it themselves: their next read asks anew.
        for (const reader of readers) {
          this.#cluster.forget(reader.kafkaTopic);
          this.drop(reader.topic);
        }
        await sleep(this.#runtime.timers, waitMs);
      }
    }
  }

  async #waitOnce(leader: Broker, readers: readonly Reader[]): Promise<void> {
    for (const reader of readers) this.#waitedFor.add(reader);
    try {
      const connection = await this.#waiting.get(leader);
      const all = await fetchFrom(connection, readers.map(wantedOf), waitMs);
      const topics = new Set<string>();
      for (const reader of readers) {
        // Two groups may be at one place: what came is for both.
        const fetched = all.find(
          ({ topicId, partition }) => topicId === reader.topicId && partition === reader.partition,
        );
        if (fetched === undefined || (fetched.errorCode === 0 && fetched.next === reader.next)) continue;
        accept(reader, fetched);
        topics.add(reader.topic);
      }
      for (const topic of topics) this.#onAppend(topic);
    } finally {
      for (const reader of readers) this.#waitedFor.delete(reader);
    }
  }

  #readersAt(leader: Broker): readonly Reader[] {
    const sinceMs = this.#runtime.clock.nowMs() - unusedAfterMs;
    const byPlace = new Map<string, Reader>();
    for (const [key, reader] of this.#kept) {
      if (reader.usedMs < sinceMs) this.#kept.delete(key);
      else if (reader.leader.host === leader.host && reader.leader.port === leader.port)
        if (reader.ahead.length < mostAhead) {
          // One request names a partition once; the one that is behind reads for itself meanwhile.
          const place = `${reader.topicId} ${reader.partition}`;
          if (!byPlace.has(place)) byPlace.set(place, reader);
        }
    }
    return [...byPlace.values()];
  }
}

function accept(reader: Reader, { errorCode, stored, next }: Fetched): void {
  if (errorCode === offsetOutOfRange) throw outOfRange(reader);
  if (errorCode !== 0)
    throw new HeddleError({
      code: 'unavailable',
      reason: 'KAFKA_NOT_READY',
      message: `Kafka: error ${errorCode} from partition ${reader.partition} of ${reader.topic}`,
    });
  reader.ahead.push(...stored);
  reader.next = next;
}

function wantedOf({ topic, topicId, partition, next }: Reader): Wanted {
  return { topic, topicId, partition, next };
}

function keyOf(topic: string, partition: number, from: number): string {
  return `${topic} ${partition} ${from}`;
}

function noPartition(topic: string, partition: number): HeddleError {
  const message = `topic ${topic} has no partition ${partition}`;
  return new HeddleError({ code: 'not_found', reason: 'NO_PARTITION', message, sent: false });
}

function outOfRange({ topic, partition, next }: Reader): HeddleError {
  const message = `partition ${partition} of ${topic} has nothing at offset ${next} any more`;
  return new HeddleError({ code: 'out_of_range', reason: 'OFFSET_GONE', message, sent: false });
}
