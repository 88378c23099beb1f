import type { EnginePromises, PartitionLag } from '../../engine.ts';
import type { GroupState } from '../../group/group-state.ts';
import type { Holdings, LogStore, MemberId, Stored } from '../../log/log-store.ts';
import { type Attributes, fromAttributes, toAttributes } from '../../message/cloud-event.ts';
import type { Message } from '../../message/message.ts';
import { partitionOf } from '../../topic/partition-of.ts';
import { noTopic, topicDiffers } from '../../topic/topic-error.ts';
import type { TopicInfo } from '../../topic/topic.ts';
import type { RedisConnection } from './redis-connection.ts';
import { stepStored } from './redis-groups.ts';
import type { RedisWakes } from './redis-wakes.ts';
import * as scripts from './scripts.ts';

/** Topics as streams, one per partition. */
export class RedisLog implements LogStore {
  readonly name = 'redis';
  readonly promises: EnginePromises;
  readonly #redis: RedisConnection;
  readonly #wakes: RedisWakes;
  readonly #onClose: () => Promise<void>;
  readonly #partitions = new Map<string, number>();

  constructor(
    redis: RedisConnection,
    wakes: RedisWakes,
    promises: EnginePromises,
    onClose: () => Promise<void>,
  ) {
    this.#redis = redis;
    this.#wakes = wakes;
    this.promises = promises;
    this.#onClose = onClose;
  }

  async createTopic(info: TopicInfo): Promise<void> {
    const { name, partitions, retentionMs } = info;
    const found = Number(await this.#redis.run(scripts.createTopic, name, [partitions, retentionMs]));
    if (found !== partitions) throw topicDiffers({ ...info, partitions: found }, info);
    await this.#redis.do((client) => client.sadd(this.#redis.topicsKey, name));
    this.#partitions.set(name, partitions);
  }

  async deleteTopic(name: string): Promise<boolean> {
    this.#partitions.delete(name);
    await this.#redis.do((client) => client.srem(this.#redis.topicsKey, name));
    return (await this.#redis.run(scripts.deleteTopic, name, [])) === 1;
  }

  async topics(): Promise<readonly TopicInfo[]> {
    const names = (await this.#redis.do((client) => client.smembers(this.#redis.topicsKey))).toSorted();
    const infos = await Promise.all(names.map((name) => this.#info(name)));
    return infos.filter((info) => info !== undefined);
  }

  async append(messages: readonly Message[]): Promise<void> {
    // One script is one slot of a cluster, so topics go one after another: all or none holds within each.
    for (const [topic, own] of Map.groupBy(messages, (message) => message.topic)) {
      const partitions = await this.#partitionsOf(topic);
      const args = own.flatMap((message) => [
        partitionOf(message, partitions),
        message.deliverAtMs,
        JSON.stringify(toAttributes(message)),
        bufferOf(message.payload),
      ]);
      if ((await this.#redis.run(scripts.append, topic, args)) === 1) this.#wakes.delayed(topic);
    }
  }

  renew(id: MemberId, options: Parameters<LogStore['renew']>[1]): Promise<Holdings> {
    this.#wakes.follow(id.topic);
    const { leaseMs, ...make } = options;
    return stepStored(this.#redis, id, { kind: 'renew', member: id.member, leaseMs }, make);
  }

  async release(id: MemberId, partition: number, epoch: number): Promise<void> {
    await stepStored(this.#redis, id, { kind: 'release', member: id.member, partition, epoch });
  }

  async leave(id: MemberId): Promise<void> {
    await stepStored(this.#redis, id, { kind: 'leave', member: id.member });
  }

  async read(topic: string, partition: number, from: number, max: number): Promise<readonly Stored[]> {
    const key = `${this.#redis.key(topic)}:p:${partition}`;
    const entries = await this.#redis.do((client) =>
      client.xrangeBuffer(key, `${from}-0`, '+', 'COUNT', max),
    );
    return entries.map((entry) => storedOf(topic, partition, entry));
  }

  async commit({ topic, group }: MemberId, partition: number, epoch: number, next: number): Promise<boolean> {
    return (await this.#redis.run(scripts.commit, topic, [group, partition, epoch, next])) === 1;
  }

  onAppend(topic: string, listener: () => void): () => void {
    return this.#wakes.on(topic, 'm', listener);
  }

  onMembers(topic: string, group: string, listener: () => void): () => void {
    return this.#wakes.on(topic, `g ${group}`, listener);
  }

  async lag(topic: string, group: string): Promise<readonly PartitionLag[]> {
    const answer = (await this.#redis.run(scripts.lag, topic, [group])) as readonly (number | string)[];
    const text = String(answer.at(-1));
    const state = text === '' ? undefined : (JSON.parse(text) as GroupState);
    return answer.slice(0, -1).map((behind, partition) => ({
      partition,
      behind: Number(behind),
      owner: state?.claims[partition]?.owner,
    }));
  }

  async browse(topic: string, limit: number): Promise<readonly Stored[]> {
    const partitions = await this.#partitionsOf(topic);
    const most = Math.min(limit, mostBrowsed);
    const each = await Promise.all(
      Array.from({ length: partitions }, (_, partition) => this.read(topic, partition, 1, most)),
    );
    return each
      .flat()
      .toSorted((a, b) => a.message.timeMs - b.message.timeMs)
      .slice(0, limit);
  }

  async discard(topic: string, partition: number, offset: number): Promise<boolean> {
    const key = `${this.#redis.key(topic)}:p:${partition}`;
    return (await this.#redis.do((client) => client.xdel(key, `${offset}-0`))) > 0;
  }

  close(): Promise<void> {
    return this.#onClose();
  }

  async #partitionsOf(topic: string): Promise<number> {
    const known = this.#partitions.get(topic);
    if (known !== undefined) return known;
    const info = await this.#info(topic);
    if (info === undefined) throw noTopic(topic);
    this.#partitions.set(topic, info.partitions);
    return info.partitions;
  }

  async #info(name: string): Promise<TopicInfo | undefined> {
    const [partitions, retention] = await this.#redis.do((client) =>
      client.hmget(this.#redis.key(name), 'partitions', 'retention'),
    );
    if (typeof partitions !== 'string' || typeof retention !== 'string') return undefined;
    return { name, partitions: Number(partitions), retentionMs: Number(retention) };
  }
}

const mostBrowsed = 10_000;

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

type Entry = readonly [id: Buffer, fields: readonly Buffer[]];

function storedOf(topic: string, partition: number, [id, fields]: Entry): Stored {
  const [, attributes = empty, , payload = empty] = fields;
  const bytes = new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
  const message = fromAttributes(topic, JSON.parse(attributes.toString()) as Attributes, bytes);
  return { message, partition, offset: Number.parseInt(id.toString(), 10) };
}

const empty = Buffer.alloc(0);
