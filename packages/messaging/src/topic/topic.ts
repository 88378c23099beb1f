import { HeddleError } from '@heddle/kernel';

/** What a topic is made of. Partitions cannot change later: a key would move, and lose its order. */
export interface TopicOptions {
  /** How many consumers of a group can work at once, and how many sequences of order there are. 1 to 1024, default 8. */
  readonly partitions?: number;
  /**
   * How long a message is kept after every group has passed it, in milliseconds. Default 7 days. A message that a group
   * has not had yet is kept, however old it is, where the engine's `promises.keepsUnread` says so; Kafka and RabbitMQ drop
   * it by its age alone.
   */
  readonly retentionMs?: number;
}

/** A topic as it is. */
export interface TopicInfo {
  readonly name: string;
  readonly partitions: number;
  readonly retentionMs: number;
}

/** In words, for messages. */
export const topicNameRule = '1 to 120 lower-case letters, digits, ".", "-" and "_", beginning with a letter';

/** Whether this can name a topic, in every engine. */
export function isTopicName(name: unknown): name is string {
  return typeof name === 'string' && /^[a-z][a-z0-9._-]{0,119}$/.test(name);
}

/** In words, for messages. */
export const groupNameRule = '1 to 50 lower-case letters, digits, "-" and "_", beginning with a letter';

/** Whether this can name a group, in every engine. */
export function isGroupName(name: unknown): name is string {
  return typeof name === 'string' && /^[a-z][a-z0-9_-]{0,49}$/.test(name);
}

/** Topics that the platform makes for itself begin so; an application's may not. */
const reserved = /^(dead|reply)\./;

/** Where messages go that a group could not handle. */
export function deadLetterTopic(topic: string, group: string): string {
  return `dead.${group}.${topic}`;
}

/** Checks and completes. Throws `invalid_argument` / `BAD_TOPIC` with all problems at once. */
export function topicInfo(name: string, options: TopicOptions = {}): TopicInfo {
  const { partitions = 8, retentionMs = 7 * 24 * 3_600_000, ...others } = options;
  const problems: string[] = [];
  if (!isTopicName(name)) problems.push(`name: expected ${topicNameRule}, found ${JSON.stringify(name)}`);
  else if (reserved.test(name))
    problems.push(`name: "dead." and "reply." are for the platform, found ${name}`);
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 1024)
    problems.push(`partitions: expected a whole number from 1 to 1024, found ${partitions}`);
  if (!(retentionMs >= 0))
    problems.push(`retentionMs: expected milliseconds, 0 or more, found ${retentionMs}`);
  for (const key of Object.keys(others))
    problems.push(`${key}: expected partitions or retentionMs, found this`);
  if (problems.length === 0) return { name, partitions, retentionMs };
  const message = `the topic cannot be made: ${problems.join('; ')}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_TOPIC', message, sent: false });
}
