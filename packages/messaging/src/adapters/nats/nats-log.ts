import { HeddleError, type Runtime } from '@heddle/kernel';
import { type JetStreamManager, RetentionPolicy, StorageType, type StreamInfo } from '@nats-io/jetstream';
import { headers as natsHeaders, type MsgHdrs, type NatsConnection } from '@nats-io/transport-node';
import type { EnginePromises, PartitionLag } from '../../engine.ts';
import type { Holdings, LogStore, MemberId, Stored } from '../../log/log-store.ts';
import { fromAttributes, toAttributes } from '../../message/cloud-event.ts';
import { fromHeaderValue, toHeaderValue } from '../../message/header-value.ts';
import type { Message } from '../../message/message.ts';
import { partitionOf } from '../../topic/partition-of.ts';
import { noTopic, topicDiffers } from '../../topic/topic-error.ts';
import type { TopicInfo } from '../../topic/topic.ts';
import type { Names } from './names.ts';
import { Acknowledged, type Outgoing } from './acknowledged.ts';
import { apiCodes, hasApiCode, natsError } from './nats-error.ts';
import type { NatsGroups } from './nats-groups.ts';
import type { Retention } from './retention.ts';
import { type StreamMessage, StreamReader } from './stream-reader.ts';

/** What the log is made from. */
export interface NatsLogOptions {
  readonly runtime: Runtime;
  readonly connection: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly names: Names;
  readonly groups: NatsGroups;
  readonly promises: EnginePromises;
  readonly replicas: number;
  readonly retention: Retention;
  readonly onClose: () => Promise<void>;
}

// Of the CloudEvents binding for NATS.
const headerPrefix = 'ce-';
const expectedStream = 'Nats-Expected-Stream';
const mostReaders = 512;

/** Topics as streams: a subject for each partition, the sequence of the stream as its offset. */
export class NatsLog implements LogStore {
  readonly name = 'nats';
  readonly promises: EnginePromises;
  readonly #options: NatsLogOptions;
  readonly #partitions = new Map<string, number>();
  readonly #followed = new Set<string>();
  /** By the place that they read next: whoever goes on there goes on with it. */
  readonly #readers = new Map<string, StreamReader>();
  readonly #acknowledged: Acknowledged;

  constructor(options: NatsLogOptions) {
    this.#options = options;
    this.#acknowledged = new Acknowledged(options.runtime, options.connection);
    this.promises = options.promises;
  }

  async createTopic(info: TopicInfo): Promise<void> {
    const { jsm, names, replicas } = this.#options;
    const known = await this.#info(info.name);
    if (known !== undefined && known.partitions !== info.partitions) throw topicDiffers(known, info);
    if (known !== undefined) return;
    const { partitions, retentionMs } = info;
    try {
      await jsm.streams.add({
        name: names.stream(info.name),
        subjects: [names.messages(info.name, '*')],
        description: JSON.stringify({ partitions, retentionMs }),
        storage: StorageType.File,
        retention: RetentionPolicy.Limits,
        num_replicas: replicas,
      });
    } catch (thrown) {
      // Somebody else may just have made it, and otherwise.
      const found = await this.#info(info.name);
      if (found === undefined) throw natsError(thrown);
      if (found.partitions !== partitions) throw topicDiffers(found, info);
    }
  }

  async deleteTopic(name: string): Promise<boolean> {
    const { jsm, names, groups } = this.#options;
    this.#partitions.delete(name);
    try {
      await jsm.streams.delete(names.stream(name));
    } catch (thrown) {
      if (hasApiCode(thrown, apiCodes.streamNotFound)) return false;
      throw natsError(thrown);
    }
    await groups.removeAll(name);
    return true;
  }

  async topics(): Promise<readonly TopicInfo[]> {
    const found: TopicInfo[] = [];
    try {
      for await (const stream of this.#options.jsm.streams.list()) {
        const info = this.#infoOf(stream);
        if (info !== undefined) found.push(info);
      }
    } catch (thrown) {
      throw natsError(thrown);
    }
    return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  async append(messages: readonly Message[]): Promise<void> {
    const { connection, names } = this.#options;
    for (const topic of new Set(messages.map((message) => message.topic))) await this.#partitionsOf(topic);
    // All at once on one connection: the server stores them in this order.
    const sent = await this.#acknowledged.publish(messages.map((message) => this.#outgoing(message)));
    for (const topic of new Set(messages.map((message) => message.topic)))
      connection.publish(names.wake(topic), 'm');
    for (const [at, error] of sent.entries())
      if (error !== undefined) throw await this.#known(messages[at]?.topic ?? '', error);
  }

  async renew(id: MemberId, options: Parameters<LogStore['renew']>[1]): Promise<Holdings> {
    const { start, leaseMs, temporary } = options;
    const starts = async (): Promise<readonly number[]> => {
      const partitions = await this.#partitionsOf(id.topic);
      const first = start === 'earliest' ? 1 : await this.#nextSequence(id.topic);
      return Array.from({ length: partitions }, () => first);
    };
    const input = { kind: 'renew', member: id.member, leaseMs } as const;
    if (temporary) this.#options.groups.markTemporary(id);
    await this.#keepUp(id.topic);
    return this.#step(id, () => this.#options.groups.step(id, input, starts));
  }

  async release(id: MemberId, partition: number, epoch: number): Promise<void> {
    const input = { kind: 'release', member: id.member, partition, epoch } as const;
    await this.#step(id, () => this.#options.groups.step(id, input));
  }

  async leave(id: MemberId): Promise<void> {
    await this.#step(id, () => this.#options.groups.leave(id));
  }

  async read(topic: string, partition: number, from: number, max: number): Promise<readonly Stored[]> {
    const { names } = this.#options;
    const place = `${topic} ${partition} `;
    const reader = this.#takeReader(place + from) ?? (await this.#open(topic, partition, from));
    const found = await reader.read(max);
    const next = (found.at(-1)?.sequence ?? from - 1) + 1;
    this.#keepReader(place + next, reader);
    return found.map((message) => storedOf(topic, names.partitionOf(message.subject), message));
  }

  commit(id: MemberId, partition: number, epoch: number, next: number): Promise<boolean> {
    return this.#options.groups.commit(id, partition, epoch, next);
  }

  onAppend(topic: string, listener: () => void): () => void {
    return this.#onWake(topic, 'm', listener);
  }

  onMembers(topic: string, group: string, listener: () => void): () => void {
    return this.#onWake(topic, `g ${group}`, listener);
  }

  async lag(topic: string, group: string): Promise<readonly PartitionLag[]> {
    const { groups } = this.#options;
    const partitions = await this.#partitionsOf(topic);
    const state = await groups.state(topic, group);
    const lagOf = async (partition: number): Promise<PartitionLag> => {
      const position = await groups.position(topic, group, partition);
      const reader = await this.#open(topic, partition, position?.next ?? 1);
      await reader.close();
      return { partition, behind: reader.pending, owner: state?.claims[partition]?.owner };
    };
    return Promise.all(Array.from({ length: partitions }, (_, partition) => lagOf(partition)));
  }

  async browse(topic: string, limit: number): Promise<readonly Stored[]> {
    await this.#partitionsOf(topic);
    const { names } = this.#options;
    const reader = await this.#open(topic, '*', 1);
    const all: Stored[] = [];
    while (all.length < Math.min(limit, reader.pending)) {
      const found = await reader.read(Math.min(500, limit - all.length));
      if (found.length === 0) break;
      all.push(...found.map((message) => storedOf(topic, names.partitionOf(message.subject), message)));
    }
    await reader.close();
    return all;
  }

  async discard(topic: string, _partition: number, offset: number): Promise<boolean> {
    const { jsm, names } = this.#options;
    try {
      return await jsm.streams.deleteMessage(names.stream(topic), offset, false);
    } catch (thrown) {
      if (hasApiCode(thrown, 10057) || hasApiCode(thrown, apiCodes.messageNotFound)) return false;
      throw natsError(thrown);
    }
  }

  close(): Promise<void> {
    return this.#options.onClose();
  }

  #outgoing(message: Message): Outgoing {
    const { names } = this.#options;
    const { topic, payload } = message;
    const partition = partitionOf(message, this.#partitions.get(topic) ?? 1);
    const headers = headersOf(message, names.stream(topic));
    return { subject: names.messages(topic, partition), payload, headers };
  }

  /** If nobody takes it: is there no stream, or no JetStream at the moment? */
  async #known(topic: string, error: HeddleError): Promise<HeddleError> {
    if (error.code !== 'unavailable') return error;
    this.#partitions.delete(topic);
    return this.#partitionsOf(topic).then(
      () => error,
      (thrown: unknown) => HeddleError.from(thrown),
    );
  }

  async #step(
    { topic, group }: MemberId,
    work: () => Promise<{ readonly holdings: Holdings; readonly changed: boolean }>,
  ): Promise<Holdings> {
    const { holdings, changed } = await work();
    const { connection, names } = this.#options;
    if (changed && !connection.isClosed()) connection.publish(names.wake(topic), `g ${group}`);
    return holdings;
  }

  async #keepUp(topic: string): Promise<void> {
    if (this.#followed.has(topic)) return;
    const info = await this.#info(topic);
    if (info === undefined) throw noTopic(topic);
    this.#followed.add(topic);
    this.#options.retention.follow(info);
  }

  #onWake(topic: string, text: string, listener: () => void): () => void {
    const { connection, names } = this.#options;
    const subscription = connection.subscribe(names.wake(topic), {
      callback: (error, message) => {
        if (error === null && message.string() === text) listener();
      },
    });
    return () => subscription.unsubscribe();
  }

  #open(topic: string, partition: number | '*', from: number): Promise<StreamReader> {
    const { connection, jsm, names, runtime } = this.#options;
    const stream = names.stream(topic);
    return StreamReader.open(connection, jsm, runtime, {
      stream,
      subject: names.messages(topic, partition),
      from,
    });
  }

  #takeReader(key: string): StreamReader | undefined {
    const reader = this.#readers.get(key);
    this.#readers.delete(key);
    return reader;
  }

  #keepReader(key: string, reader: StreamReader): void {
    this.#readers.set(key, reader);
    if (this.#readers.size <= mostReaders) return;
    const [oldest] = this.#readers.keys();
    if (oldest !== undefined) void this.#takeReader(oldest)?.close();
  }

  async #nextSequence(topic: string): Promise<number> {
    const { jsm, names } = this.#options;
    try {
      return (await jsm.streams.info(names.stream(topic))).state.last_seq + 1;
    } catch (thrown) {
      throw natsError(thrown);
    }
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
    const { jsm, names } = this.#options;
    try {
      return this.#infoOf(await jsm.streams.info(names.stream(name)));
    } catch (thrown) {
      if (hasApiCode(thrown, apiCodes.streamNotFound)) return undefined;
      throw natsError(thrown);
    }
  }

  #infoOf({ config }: StreamInfo): TopicInfo | undefined {
    const name = this.#options.names.topicOf(config.name);
    if (name === undefined) return undefined;
    try {
      const { partitions, retentionMs } = JSON.parse(config.description ?? '') as TopicInfo;
      return { name, partitions, retentionMs };
    } catch {
      const message = `stream ${config.name} is not one that was made as a topic: its description says nothing of partitions`;
      throw new HeddleError({ code: 'data_loss', reason: 'FOREIGN_STREAM', message, sent: false });
    }
  }
}

function headersOf(message: Message, stream: string): MsgHdrs {
  const out = natsHeaders();
  out.set(expectedStream, stream);
  for (const [name, value] of Object.entries(toAttributes(message)))
    out.set(`${headerPrefix}${name}`, toHeaderValue(value));
  return out;
}

function storedOf(topic: string, partition: number, message: StreamMessage): Stored {
  const attributes: Record<string, string> = {};
  for (const name of message.headerNames())
    if (name.startsWith(headerPrefix))
      attributes[name.slice(headerPrefix.length)] = fromHeaderValue(message.header(name) ?? '');
  return {
    message: fromAttributes(topic, attributes, message.data),
    partition,
    offset: message.sequence,
  };
}
