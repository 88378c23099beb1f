import { HeddleError, type Runtime } from '@heddle/kernel';
import type { Engine, EnginePromises } from '../../engine.ts';
import { leasedEngine } from '../../log/leased-engine.ts';
import type { LeaseTimes } from '../../log/leased-membership.ts';
import { maxPayloadBytes } from '../../message/complete-message.ts';
import { KafkaCluster, type KafkaPlace } from './kafka-cluster.ts';
import { kafkaError } from './kafka-error.ts';
import { KafkaLog } from './kafka-log.ts';
import { KafkaTopics } from './kafka-topics.ts';

/** What the engine is made from. */
export interface KafkaEngineOptions extends LeaseTimes {
  readonly runtime: Runtime;
  /** Where the servers are, and who we are there. */
  readonly kafka: KafkaPlace;
  /** What names of topics and groups begin with: letters, digits and `-`. Default `heddle`. */
  readonly prefix?: string;
  /** Copies of each topic. Default -1: as many as the cluster makes by default. */
  readonly replicas?: number;
}

/**
 * Topics in Kafka 3.3 or newer, with its own consumer groups. A message is acknowledged when every copy in sync has it;
 * Kafka leaves to the operating system when it reaches the disks. Kafka cannot deliver later (`UNSUPPORTED`), and drops
 * what is older than the topic's retention whether a group has had it or not. `leaseMs` must lie within the server's
 * `group.min.session.timeout.ms` (6 s, if nobody has set it) and `group.max.session.timeout.ms`. Rejects with
 * `unavailable` if no server is there.
 */
export async function kafkaEngine(options: KafkaEngineOptions): Promise<Engine> {
  const { runtime, kafka, prefix = 'heddle', replicas = -1 } = options;
  checkOptions(options);
  const cluster = new KafkaCluster(kafka);
  try {
    await cluster.any();
  } catch (thrown) {
    await cluster.close();
    throw kafkaError(thrown);
  }
  const promises: EnginePromises = {
    durable: 'process',
    delayed: false,
    replay: true,
    deduplicates: false,
    keepsUnread: false,
    maxPayloadBytes,
  };
  const topics = new KafkaTopics(runtime, cluster, prefix, replicas);
  return leasedEngine(runtime, new KafkaLog(runtime, cluster, topics, promises), options);
}

function checkOptions({ kafka, prefix = 'heddle', replicas = -1 }: KafkaEngineOptions): void {
  const problems: string[] = [];
  const places = kafka.brokers.filter((each) => !/^.+:\d{1,5}$/.test(each));
  if (kafka.brokers.length === 0 || places.length > 0)
    problems.push(`kafka.brokers: expected "host:port", found ${JSON.stringify(kafka.brokers)}`);
  if (!/^[a-zA-Z0-9-]{1,32}$/.test(prefix))
    problems.push(`prefix: expected 1 to 32 letters, digits and "-", found ${JSON.stringify(prefix)}`);
  if (!Number.isInteger(replicas) || replicas === 0 || replicas < -1)
    problems.push(`replicas: expected a whole number from 1, or -1, found ${replicas}`);
  if (problems.length === 0) return;
  const message = `Kafka cannot be used so: ${problems.join('; ')}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_KAFKA', message, sent: false });
}
