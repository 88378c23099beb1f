import type { Runtime } from '@heddle/kernel';
import { deleteGroupsV2, deleteRecordsV2, describeGroupsV5 } from '@platformatic/kafka';
import type { EnginePromises, PartitionLag } from '../../engine.ts';
import { Listeners } from '../../log/listeners.ts';
import type { Holdings, LogStore, MemberId, Stored } from '../../log/log-store.ts';
import type { Message } from '../../message/message.ts';
import { partitionOf } from '../../topic/partition-of.ts';
import type { TopicInfo } from '../../topic/topic.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { kafkaError } from './kafka-error.ts';
import { fetchFrom } from './kafka-fetch.ts';
import { KafkaMember } from './kafka-member.ts';
import { committedOf, offsetsOf } from './kafka-offsets.ts';
import { KafkaReaders } from './kafka-reader.ts';
import { Shipments } from './kafka-produce.ts';
import { discardOf, recordOf } from './kafka-records.ts';
import { type KafkaTopics, unknownTopic } from './kafka-topics.ts';

const produceTimeoutMs = 10_000;

/** Topics as Kafka's topics, and groups as its consumer groups, one for each topic. */
export class KafkaLog implements LogStore {
  readonly name = 'kafka';
  readonly promises: EnginePromises;
  readonly #runtime: Runtime;
  readonly #cluster: KafkaCluster;
  readonly #topics: KafkaTopics;
  readonly #readers: KafkaReaders;
  readonly #members = new Map<string, KafkaMember>();
  readonly #temporary = new Set<string>();
  readonly #listeners = new Listeners();

  constructor(runtime: Runtime, cluster: KafkaCluster, topics: KafkaTopics, promises: EnginePromises) {
    this.#runtime = runtime;
    this.#cluster = cluster;
    this.#topics = topics;
    this.promises = promises;
    const kafkaName = (topic: string): string => topics.nameOf(topic);
    this.#readers = new KafkaReaders(runtime, cluster, kafkaName, (topic) => this.#listeners.call(topic));
  }

  createTopic(topic: TopicInfo): Promise<void> {
    return this.#topics.create(topic);
  }

  deleteTopic(name: string): Promise<boolean> {
    this.#readers.drop(name);
    return this.#topics.delete(name);
  }

  topics(): Promise<readonly TopicInfo[]> {
    return this.#topics.list();
  }

  async append(messages: readonly Message[]): Promise<void> {
    const shipments = new Shipments();
    for (const [topic, own] of Map.groupBy(messages, (message) => message.topic)) {
      const name = this.#topics.nameOf(topic);
      const { leaders } = await this.#cluster.topic(name, topic);
      for (const message of own) {
        const partition = partitionOf(message, leaders.length);
        shipments.to(leaders[partition]).add(name, partition, recordOf(message));
      }
    }
    await this.#send(shipments, messages[0]?.topic ?? '');
  }

  renew(id: MemberId, options: Parameters<LogStore['renew']>[1]): Promise<Holdings> {
    const { start, leaseMs, temporary } = options;
    const key = keyOf(id);
    if (temporary) this.#temporary.add(key);
    let member = this.#members.get(key);
    if (member === undefined) {
      member = new KafkaMember({
        runtime: this.#runtime,
        cluster: this.#cluster,
        id,
        group: this.#groupName(id.topic, id.group),
        kafkaTopic: this.#topics.nameOf(id.topic),
        start,
        leaseMs,
        onChange: () => this.#listeners.call(`${id.topic} ${id.group}`),
      });
      this.#members.set(key, member);
    }
    return member.renew();
  }

  async release(id: MemberId, partition: number, epoch: number): Promise<void> {
    await this.#members.get(keyOf(id))?.release(partition, epoch);
  }

  async leave(id: MemberId): Promise<void> {
    const key = keyOf(id);
    const member = this.#members.get(key);
    this.#members.delete(key);
    await member?.leave();
    if (!this.#temporary.delete(key)) return;
    const group = this.#groupName(id.topic, id.group);
    const connection = await this.#cluster.connection(await this.#cluster.coordinator(group));
    // Kafka removes it by itself if this is not heard.
    await deleteGroupsV2.api.async(connection, [group]).catch(() => {});
  }

  read(topic: string, partition: number, from: number, max: number): Promise<readonly Stored[]> {
    return this.#readers.read(topic, partition, from, max);
  }

  async commit(id: MemberId, partition: number, epoch: number, next: number): Promise<boolean> {
    return (await this.#members.get(keyOf(id))?.commit(partition, epoch, next)) ?? false;
  }

  onAppend(topic: string, listener: () => void): () => void {
    return this.#listeners.on(topic, listener);
  }

  onMembers(topic: string, group: string, listener: () => void): () => void {
    return this.#listeners.on(`${topic} ${group}`, listener);
  }

  async lag(topic: string, group: string): Promise<readonly PartitionLag[]> {
    const name = this.#topics.nameOf(topic);
    const [first, end] = await Promise.all([
      offsetsOf(this.#cluster, name, topic, 'earliest'),
      offsetsOf(this.#cluster, name, topic, 'latest'),
    ]);
    const kafkaGroup = this.#groupName(topic, group);
    const committed = await committedOf(this.#cluster, kafkaGroup, name, [...end.keys()]);
    const owners = await this.#owners(kafkaGroup);
    return end.map((last, partition) => {
      const { next = 0, holder = '' } = committed[partition] ?? {};
      const behind = Math.max(0, last - Math.max(next, first[partition] ?? 0));
      // Who is given a partition has it once that is written down.
      return { partition, behind, owner: holder !== '' && owners.has(partition) ? holder : undefined };
    });
  }

  async browse(topic: string, limit: number): Promise<readonly Stored[]> {
    const name = this.#topics.nameOf(topic);
    const { leaders } = await this.#cluster.topic(name, topic);
    const each = await Promise.all(leaders.map((_, partition) => this.#kept(topic, partition)));
    return each
      .flat()
      .toSorted((a, b) => a.message.timeMs - b.message.timeMs)
      .slice(0, limit);
  }

  /** Writes down that it is gone, for `browse`; a group that has not read it yet still does. */
  async discard(topic: string, partition: number, offset: number): Promise<boolean> {
    const kept = await this.#kept(topic, partition);
    if (!kept.some((each) => each.offset === offset)) return false;
    const name = this.#topics.nameOf(topic);
    const { leaders } = await this.#cluster.topic(name, topic);
    const leader = leaders[partition];
    const shipments = new Shipments();
    shipments.to(leader).add(name, partition, discardOf(offset, this.#runtime.clock.wallMs()));
    await this.#send(shipments, topic);
    const left = kept.find((each) => each.offset !== offset);
    // What is gone from the beginning on goes for good.
    const until = left === undefined ? -1n : BigInt(left.offset);
    if (leader === undefined || kept[0]?.offset !== offset) return true;
    const partitions = [{ partitionIndex: partition, offset: until }];
    await deleteRecordsV2.api
      .async(await this.#cluster.connection(leader), [{ name, partitions }], produceTimeoutMs)
      .catch(() => {});
    return true;
  }

  async close(): Promise<void> {
    await this.#readers.close();
    await this.#cluster.close();
  }

  async #send(shipments: Shipments, topic: string): Promise<void> {
    const sent = await Promise.allSettled(
      shipments.all.map(async ([server, shipment]) =>
        shipment.send(await this.#cluster.connection(server), produceTimeoutMs),
      ),
    );
    for (const one of sent) {
      if (one.status === 'fulfilled') continue;
      for (const [, { topics }] of shipments.all) for (const name of topics) this.#cluster.forget(name);
      throw kafkaError(unknownTopic(one.reason, topic));
    }
  }

  /** Everything of a partition that was not discarded. */
  async #kept(topic: string, partition: number): Promise<readonly Stored[]> {
    const name = this.#topics.nameOf(topic);
    const { id, leaders } = await this.#cluster.topic(name, topic);
    const leader = leaders[partition];
    if (leader === undefined) return [];
    const [first, end] = await Promise.all([
      offsetsOf(this.#cluster, name, topic, 'earliest'),
      offsetsOf(this.#cluster, name, topic, 'latest'),
    ]);
    const stored: Stored[] = [];
    const gone = new Set<number>();
    let next = first[partition] ?? 0;
    while (next < (end[partition] ?? 0)) {
      const wanted = { topic, topicId: id, partition, next };
      const [fetched] = await fetchFrom(await this.#cluster.connection(leader), [wanted], 0).catch(
        (thrown: unknown) => {
          throw kafkaError(thrown);
        },
      );
      if (fetched === undefined || fetched.next === next) break;
      stored.push(...fetched.stored);
      for (const offset of fetched.discarded) gone.add(offset);
      next = fetched.next;
    }
    return stored.filter(({ offset }) => !gone.has(offset));
  }

  /** The partitions that a living member of the group was given. */
  async #owners(group: string): Promise<ReadonlySet<number>> {
    try {
      const connection = await this.#cluster.connection(await this.#cluster.coordinator(group));
      const { groups } = await describeGroupsV5.api.async(connection, [group], false);
      const given = groups[0]?.members.map(({ memberAssignment }) => memberAssignment) ?? [];
      return new Set(
        given
          .filter((assignment) => assignment.length > 0)
          .flatMap((assignment) => (JSON.parse(assignment.toString()) as { owned: number[] }).owned),
      );
    } catch (thrown) {
      this.#cluster.forgetGroup(group);
      throw kafkaError(thrown);
    }
  }

  #groupName(topic: string, group: string): string {
    return `${this.#topics.nameOf(topic)}.${group}`;
  }
}

function keyOf({ topic, group, member }: MemberId): string {
  return `${topic} ${group} ${member}`;
}
