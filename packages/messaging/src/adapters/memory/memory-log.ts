import type { HeddleError, Runtime } from '@heddle/kernel';
import type { EnginePromises, PartitionLag } from '../../engine.ts';
import { noTopic, topicDiffers } from '../../topic/topic-error.ts';
import type { Holdings, LogStore, MemberId, Stored } from '../../log/log-store.ts';
import { maxPayloadBytes } from '../../message/complete-message.ts';
import type { Message } from '../../message/message.ts';
import { partitionOf } from '../../topic/partition-of.ts';
import type { TopicInfo } from '../../topic/topic.ts';
import { MemoryGroup } from './memory-group.ts';
import { MemoryPartition } from './memory-partition.ts';

interface Topic {
  readonly info: TopicInfo;
  readonly partitions: readonly MemoryPartition[];
  readonly groups: Map<string, MemoryGroup>;
  readonly appendListeners: Set<() => void>;
  readonly memberListeners: Map<string, Set<() => void>>;
}

/** What the brokers of one simulation or test share: the place of a broker's server. */
export class MemoryLog {
  readonly #runtime: Runtime;
  readonly #topics = new Map<string, Topic>();
  #down: HeddleError | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** While there is an error, nothing can be reached: a broker that is down. */
  set down(error: HeddleError | undefined) {
    this.#down = error;
  }

  /** One process's way to the log. */
  connect(): LogStore {
    return new MemoryLogStore(this.#runtime, this.#topics, () => this.#down);
  }
}

class MemoryLogStore implements LogStore {
  readonly name = 'memory';
  readonly promises: EnginePromises = {
    durable: 'none',
    delayed: true,
    replay: true,
    deduplicates: false,
    keepsUnread: true,
    maxPayloadBytes,
  };
  readonly #runtime: Runtime;
  readonly #topics: Map<string, Topic>;
  readonly #down: () => HeddleError | undefined;

  constructor(runtime: Runtime, topics: Map<string, Topic>, down: () => HeddleError | undefined) {
    this.#runtime = runtime;
    this.#topics = topics;
    this.#down = down;
  }

  async createTopic(info: TopicInfo): Promise<void> {
    this.#reach();
    const known = this.#topics.get(info.name);
    if (known !== undefined && known.info.partitions !== info.partitions)
      throw topicDiffers(known.info, info);
    if (known !== undefined) return;
    const partitions = Array.from({ length: info.partitions }, () => new MemoryPartition());
    const listeners = { appendListeners: new Set<() => void>(), memberListeners: new Map() };
    this.#topics.set(info.name, { info, partitions, groups: new Map(), ...listeners });
  }

  async deleteTopic(name: string): Promise<boolean> {
    this.#reach();
    return this.#topics.delete(name);
  }

  async topics(): Promise<readonly TopicInfo[]> {
    this.#reach();
    return [...this.#topics.values()].map(({ info }) => info).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async append(messages: readonly Message[]): Promise<void> {
    this.#reach();
    // All are looked up before the first is added: all or none.
    const topics = messages.map(({ topic }) => this.#topic(topic));
    for (const [at, message] of messages.entries()) this.#appendWhenDue(topics[at] as Topic, message);
    for (const topic of new Set(topics)) this.#appended(topic);
  }

  #appendWhenDue(topic: Topic, message: Message): void {
    const waitMs = message.deliverAtMs - this.#runtime.clock.wallMs();
    if (waitMs > 0) {
      this.#runtime.timers.after(waitMs, () => {
        this.#add(topic, message);
        this.#appended(topic);
      });
    } else this.#add(topic, message);
  }

  #add(topic: Topic, message: Message): void {
    topic.partitions[partitionOf(message, topic.info.partitions)]?.append(message);
  }

  #appended(topic: Topic): void {
    this.#expire(topic);
    for (const listener of topic.appendListeners) this.#runtime.timers.soon(listener);
  }

  /** Drops what is older than the topic keeps it, up to where the slowest group is. */
  #expire({ info, partitions, groups }: Topic): void {
    const before = this.#runtime.clock.wallMs() - info.retentionMs;
    for (const [at, partition] of partitions.entries()) {
      const reached = [...groups.values()].map((group) => group.next(at));
      partition.expire(before, Math.min(partition.end, ...reached));
    }
  }

  async renew(id: MemberId, options: Parameters<LogStore['renew']>[1]): Promise<Holdings> {
    this.#reach();
    const topic = this.#topic(id.topic);
    let group = topic.groups.get(id.group);
    if (group === undefined) {
      const starts = topic.partitions.map(({ begin, end }) => (options.start === 'earliest' ? begin : end));
      const changed = (): void => {
        for (const listener of topic.memberListeners.get(id.group) ?? []) this.#runtime.timers.soon(listener);
      };
      group = new MemoryGroup(starts, options.temporary, this.#runtime, changed);
      topic.groups.set(id.group, group);
    }
    return group.renew(id.member, options.leaseMs);
  }

  async release({ topic, group, member }: MemberId, partition: number, epoch: number): Promise<void> {
    this.#reach();
    this.#topic(topic).groups.get(group)?.release(member, partition, epoch);
  }

  async leave({ topic, group, member }: MemberId): Promise<void> {
    this.#reach();
    const { groups } = this.#topic(topic);
    if (groups.get(group)?.leave(member) === 'ended') groups.delete(group);
  }

  async read(topic: string, partition: number, from: number, max: number): Promise<readonly Stored[]> {
    this.#reach();
    const messages = this.#topic(topic).partitions[partition]?.read(from, max) ?? [];
    return messages.map(({ offset, message }) => ({ message, partition, offset }));
  }

  async commit(
    { topic, group, member }: MemberId,
    partition: number,
    epoch: number,
    next: number,
  ): Promise<boolean> {
    this.#reach();
    return this.#topic(topic).groups.get(group)?.commit(member, partition, epoch, next) ?? false;
  }

  onAppend(topic: string, listener: () => void): () => void {
    const listeners = this.#topic(topic).appendListeners;
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  onMembers(topic: string, group: string, listener: () => void): () => void {
    const { memberListeners } = this.#topic(topic);
    const listeners = memberListeners.get(group) ?? new Set();
    memberListeners.set(group, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  async lag(topic: string, group: string): Promise<readonly PartitionLag[]> {
    this.#reach();
    const { partitions, groups } = this.#topic(topic);
    const known = groups.get(group);
    return partitions.map((log, partition) => ({
      partition,
      behind: log.countFrom(known?.next(partition) ?? log.begin),
      owner: known?.owner(partition),
    }));
  }

  async browse(topic: string, limit: number): Promise<readonly Stored[]> {
    this.#reach();
    const { partitions } = this.#topic(topic);
    return partitions
      .flatMap((log, partition) =>
        log.read(log.begin, limit).map(({ offset, message }) => ({ message, partition, offset })),
      )
      .toSorted((a, b) => a.message.timeMs - b.message.timeMs)
      .slice(0, limit);
  }

  async discard(topic: string, partition: number, offset: number): Promise<boolean> {
    this.#reach();
    return this.#topic(topic).partitions[partition]?.discard(offset) ?? false;
  }

  async close(): Promise<void> {}

  #topic(name: string): Topic {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw noTopic(name);
    return topic;
  }

  #reach(): void {
    const down = this.#down();
    if (down !== undefined) throw down;
  }
}
