import { type Runtime, sleep } from '@heddle/kernel';
import {
  ConfigResourceTypes,
  createTopicsV7,
  deleteTopicsV6,
  describeConfigsV4,
  metadataV12,
} from '@platformatic/kafka';
import { maxPayloadBytes } from '../../message/complete-message.ts';
import { noTopic, topicDiffers } from '../../topic/topic-error.ts';
import type { TopicInfo } from '../../topic/topic.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import { kafkaError, refusalOf } from './kafka-error.ts';
import { offsetsOf } from './kafka-offsets.ts';

const timeoutMs = 10_000;
// Headers and the frame of a batch count too.
const room = 256 * 1024;

/** The topics of a cluster that are ours, by their prefix. */
export class KafkaTopics {
  readonly #runtime: Runtime;
  readonly #cluster: KafkaCluster;
  readonly #prefix: string;
  readonly #replicas: number;

  constructor(runtime: Runtime, cluster: KafkaCluster, prefix: string, replicas: number) {
    this.#runtime = runtime;
    this.#cluster = cluster;
    this.#prefix = `${prefix}.`;
    this.#replicas = replicas;
  }

  /** Its name in Kafka. */
  nameOf(topic: string): string {
    return this.#prefix + topic;
  }

  /** Makes it, or finds it made; resolves when it has leaders. */
  async create(info: TopicInfo): Promise<void> {
    const name = this.nameOf(info.name);
    const configs = [
      { name: 'retention.ms', value: String(Math.floor(info.retentionMs)) },
      { name: 'cleanup.policy', value: 'delete' },
      { name: 'max.message.bytes', value: String(maxPayloadBytes + room) },
    ];
    try {
      const topic = {
        name,
        numPartitions: info.partitions,
        replicationFactor: this.#replicas,
        assignments: [],
        configs,
      };
      await createTopicsV7.api.async(await this.#cluster.any(), [topic], timeoutMs, false);
    } catch (thrown) {
      if (refusalOf(thrown) !== 'TOPIC_ALREADY_EXISTS') throw kafkaError(thrown);
    }
    const partitions = await this.#untilLed(info.name);
    if (partitions !== info.partitions) throw topicDiffers({ ...info, partitions }, info);
  }

  /** False if there was none. */
  async delete(topic: string): Promise<boolean> {
    const name = this.nameOf(topic);
    this.#cluster.forget(name);
    try {
      await deleteTopicsV6.api.async(await this.#cluster.any(), [{ name }], timeoutMs);
      return true;
    } catch (thrown) {
      if (refusalOf(thrown) === 'UNKNOWN_TOPIC_OR_PARTITION') return false;
      throw kafkaError(thrown);
    }
  }

  async list(): Promise<readonly TopicInfo[]> {
    try {
      const { topics } = await metadataV12.api.async(await this.#cluster.any(), null, false, false);
      const ours = topics.filter(({ name }) => name?.startsWith(this.#prefix));
      const retention = await this.#retentions(ours.map(({ name }) => name ?? ''));
      return ours
        .map(({ name, partitions }) => ({
          name: (name ?? '').slice(this.#prefix.length),
          partitions: partitions.length,
          retentionMs: retention.get(name ?? '') ?? 0,
        }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    } catch (thrown) {
      throw kafkaError(thrown);
    }
  }

  async #retentions(names: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (names.length === 0) return new Map();
    const resources = names.map((resourceName) => ({
      resourceType: ConfigResourceTypes.TOPIC,
      resourceName,
      configurationKeys: ['retention.ms'],
    }));
    const answer = await describeConfigsV4.api.async(await this.#cluster.any(), resources, false, false);
    return new Map(
      answer.results.map(({ resourceName, configs }) => [resourceName, Number(configs[0]?.value ?? 0)]),
    );
  }

  /** The answer that it was made comes before every server knows of it. */
  async #untilLed(topic: string): Promise<number> {
    const { clock, timers } = this.#runtime;
    const giveUpMs = clock.nowMs() + timeoutMs;
    for (;;) {
      try {
        this.#cluster.forget(this.nameOf(topic));
        const { leaders } = await this.#cluster.topic(this.nameOf(topic), topic);
        // Who is to lead may not know it yet.
        await offsetsOf(this.#cluster, this.nameOf(topic), topic, 'latest');
        return leaders.length;
      } catch (thrown) {
        if (clock.nowMs() >= giveUpMs) throw kafkaError(thrown);
        await sleep(timers, 10);
      }
    }
  }
}

/** For a message to a topic that a server did not know: `NO_TOPIC` where there is none. */
export function unknownTopic(thrown: unknown, topic: string): unknown {
  return refusalOf(thrown) === 'UNKNOWN_TOPIC_OR_PARTITION' ? noTopic(topic) : thrown;
}
