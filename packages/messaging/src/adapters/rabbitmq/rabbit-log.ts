import { HeddleError, type Runtime } from '@heddle/kernel';
import type { EnginePromises, PartitionLag } from '../../engine.ts';
import { Listeners } from '../../log/listeners.ts';
import type { Holdings, LogStore, MemberId, Stored } from '../../log/log-store.ts';
import type { Message } from '../../message/message.ts';
import { partitionOf } from '../../topic/partition-of.ts';
import type { TopicInfo } from '../../topic/topic.ts';
import type { RabbitConnection } from './rabbit-connection.ts';
import type { RabbitDelays } from './rabbit-delays.ts';
import type { RabbitLocks } from './rabbit-locks.ts';
import { partitionLock, RabbitMember } from './rabbit-member.ts';
import { discardProperties, offsetOf, propertiesOf, readMessage } from './rabbit-message.ts';
import type { Names } from './rabbit-names.ts';
import type { RabbitPositions } from './rabbit-positions.ts';
import { RabbitReaders } from './rabbit-reader.ts';
import type { RabbitRegistry } from './rabbit-registry.ts';
import type { Outgoing } from './rabbit-frames.ts';
import type { RabbitStreams } from './rabbit-streams.ts';
import { RabbitWakes } from './rabbit-wakes.ts';

/** What the log is made of. */
export interface RabbitLogOptions {
  readonly runtime: Runtime;
  readonly promises: EnginePromises;
  readonly connection: RabbitConnection;
  readonly names: Names;
  readonly streams: RabbitStreams;
  readonly registry: RabbitRegistry;
  readonly positions: RabbitPositions;
  readonly locks: RabbitLocks;
  readonly delays: RabbitDelays;
  readonly onClose: () => Promise<void>;
}

/** Topics as streams, one per partition. */
export class RabbitLog implements LogStore {
  readonly name = 'rabbitmq';
  readonly promises: EnginePromises;
  readonly #options: RabbitLogOptions;
  readonly #readers: RabbitReaders;
  readonly #wakes: RabbitWakes;
  readonly #listeners = new Listeners();
  readonly #members = new Map<string, { readonly member: RabbitMember; readonly group: string }>();

  constructor(options: RabbitLogOptions) {
    const { runtime, connection, names, promises } = options;
    this.#options = options;
    this.promises = promises;
    this.#readers = new RabbitReaders(runtime, connection, names, (topic) => this.#listeners.call(topic));
    this.#wakes = new RabbitWakes(runtime, connection, names, (group, text) => this.#heard(group, text));
  }

  createTopic(topic: TopicInfo): Promise<void> {
    this.#options.delays.forget(topic.name);
    return this.#options.registry.create(topic);
  }

  deleteTopic(name: string): Promise<boolean> {
    this.#readers.drop(name);
    this.#options.delays.forget(name);
    return this.#options.registry.delete(name);
  }

  topics(): Promise<readonly TopicInfo[]> {
    return this.#options.registry.list();
  }

  async append(messages: readonly Message[]): Promise<void> {
    const { streams, registry } = this.#options;
    const out: Outgoing[] = [];
    const queues = new Map<string, readonly string[]>();
    for (const message of messages) {
      const own = queues.get(message.topic) ?? (await this.#queuesOf(message.topic));
      queues.set(message.topic, own);
      const partition = partitionOf(message, own.length);
      out.push(
        message.deliverAtMs > 0
          ? await this.#delayed(message, partition)
          : outgoing(message, { to: own[partition] ?? '' }),
      );
    }
    try {
      await streams.publish(out);
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (error.reason !== 'NO_QUEUE') throw error;
      // Is there no topic any more, or was it made anew?
      for (const { topic } of messages) {
        registry.forget(topic);
        await registry.partitionsOf(topic);
      }
      throw error;
    }
  }

  renew(id: MemberId, options: Parameters<LogStore['renew']>[1]): Promise<Holdings> {
    const { start, temporary } = options;
    const group = `${id.topic} ${id.group}`;
    const key = keyOf(id);
    let known = this.#members.get(key);
    if (known === undefined) {
      const tell = (text: string): void => {
        if (!temporary) this.#wakes.tell(group, text);
      };
      known = { member: new RabbitMember({ ...this.#options, id, start, temporary, tell }), group };
      this.#members.set(key, known);
      if (!temporary) this.#wakes.follow(group);
    }
    return known.member.renew();
  }

  async release(id: MemberId, partition: number, epoch: number): Promise<void> {
    await this.#members.get(keyOf(id))?.member.release(partition, epoch);
  }

  async leave(id: MemberId): Promise<void> {
    const known = this.#members.get(keyOf(id));
    this.#members.delete(keyOf(id));
    await known?.member.leave();
  }

  read(topic: string, partition: number, from: number, max: number): Promise<readonly Stored[]> {
    return this.#readers.read(topic, partition, from, max);
  }

  async commit(id: MemberId, partition: number, epoch: number, next: number): Promise<boolean> {
    return (await this.#members.get(keyOf(id))?.member.commit(partition, epoch, next)) ?? false;
  }

  onAppend(topic: string, listener: () => void): () => void {
    return this.#listeners.on(topic, listener);
  }

  onMembers(topic: string, group: string, listener: () => void): () => void {
    return this.#listeners.on(`${topic} ${group}`, listener);
  }

  async lag(topic: string, group: string): Promise<readonly PartitionLag[]> {
    const { registry, positions, streams, names, locks } = this.#options;
    const partitions = await registry.partitionsOf(topic);
    const known = await registry.hasGroup(topic, group);
    const lagOf = async (partition: number): Promise<PartitionLag> => {
      const name = names.partition(topic, partition);
      const [end, begin] = await Promise.all([streams.end(name), streams.begin(name)]);
      if (!known) return { partition, behind: Math.max(0, end - begin), owner: undefined };
      const { next, holder } = await positions.read(topic, group, partition);
      const held = holder !== '' && (await locks.isTaken(partitionLock(topic, group, partition)));
      const behind = Math.max(0, end - Math.max(next, begin));
      return { partition, behind, owner: held ? holder : undefined };
    };
    return Promise.all(Array.from({ length: partitions }, (_, partition) => lagOf(partition)));
  }

  async browse(topic: string, limit: number): Promise<readonly Stored[]> {
    const partitions = await this.#options.registry.partitionsOf(topic);
    const each = await Promise.all(
      Array.from({ length: partitions }, (_, partition) => this.#kept(topic, partition)),
    );
    return each
      .flat()
      .toSorted((a, b) => a.message.timeMs - b.message.timeMs)
      .slice(0, limit);
  }

  /** Writes down that it is gone, for `browse`; a group that has not read it yet still does. */
  async discard(topic: string, partition: number, offset: number): Promise<boolean> {
    const { streams, names } = this.#options;
    const kept = await this.#kept(topic, partition);
    if (!kept.some((each) => each.offset === offset)) return false;
    const properties = discardProperties(offset);
    await streams.publish([{ to: names.partition(topic, partition), content: Buffer.alloc(0), properties }]);
    return true;
  }

  async close(): Promise<void> {
    this.#wakes.close();
    await this.#options.onClose();
  }

  /** By number of the partition. */
  async #queuesOf(topic: string): Promise<readonly string[]> {
    const { registry, names } = this.#options;
    const partitions = await registry.partitionsOf(topic);
    return Array.from({ length: partitions }, (_, partition) => names.partition(topic, partition));
  }

  async #delayed(message: Message, partition: number): Promise<Outgoing> {
    const { delays, runtime } = this.#options;
    const { topic, deliverAtMs } = message;
    return outgoing(message, await delays.route(topic, partition, deliverAtMs - runtime.clock.wallMs()));
  }

  /** Everything of a partition that was not discarded. */
  async #kept(topic: string, partition: number): Promise<readonly Stored[]> {
    const { streams, names } = this.#options;
    const stored: Stored[] = [];
    const gone = new Set<number>();
    for (const found of await streams.all(names.partition(topic, partition), 0)) {
      const read = readMessage(topic, partition, found);
      if (read.discards !== undefined) gone.add(read.discards);
      if (read.stored !== undefined && offsetOf(found) >= 0) stored.push(read.stored);
    }
    return stored.filter(({ offset }) => !gone.has(offset));
  }

  #heard(group: string, text: string): void {
    if (text === 'wanted')
      for (const each of this.#members.values()) if (each.group === group) each.member.hearWanted();
    this.#listeners.call(group);
  }
}

function outgoing(message: Message, route: Pick<Outgoing, 'exchange' | 'to'>): Outgoing {
  const { buffer, byteOffset, byteLength } = message.payload;
  return {
    ...route,
    content: Buffer.from(buffer, byteOffset, byteLength),
    properties: propertiesOf(message),
  };
}

function keyOf({ topic, group, member }: MemberId): string {
  return `${topic} ${group} ${member}`;
}
