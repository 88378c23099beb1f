import { HeddleError } from '@heddle/kernel';
import { noTopic, topicDiffers } from '../../topic/topic-error.ts';
import type { TopicInfo } from '../../topic/topic.ts';
import type { RabbitLocks } from './rabbit-locks.ts';
import { offsetOf } from './rabbit-message.ts';
import type { Names } from './rabbit-names.ts';
import type { RabbitStreams } from './rabbit-streams.ts';

/** What is written: a topic was made or has gone, or a group of it was made. */
type Entry =
  | { readonly made: TopicInfo }
  | { readonly gone: string }
  | { readonly group: string; readonly of: string };

interface Known extends TopicInfo {
  readonly groups: Set<string>;
}

const segmentBytes = 1_000_000;
/** A message of the largest size that we take must fit in, with room to spare. */
const topicSegmentBytes = 50_000_000;

/**
 * What topics and groups there are: AMQP cannot be asked which queues there are, so it is written into a stream, which
 * everybody reads from where they are to its end.
 */
export class RabbitRegistry {
  readonly #streams: RabbitStreams;
  readonly #locks: RabbitLocks;
  readonly #names: Names;
  readonly #topics = new Map<string, Known>();
  #next = 0;
  #reading: Promise<void> | undefined;

  constructor(streams: RabbitStreams, locks: RabbitLocks, names: Names) {
    this.#streams = streams;
    this.#locks = locks;
    this.#names = names;
  }

  /** Makes the stream, or finds it made. Once, before anything else. */
  async open(): Promise<void> {
    await this.#streams.declare(this.#names.registry, { segmentBytes });
    // Nothing that anybody reads, but the stream is not empty from now on.
    await this.#write({ gone: '' });
  }

  async create(info: TopicInfo): Promise<void> {
    await this.#locks.holding(`topic.${info.name}`, async () => {
      await this.#refresh();
      const found = this.#topics.get(info.name);
      if (found === undefined) {
        const limits = { maxAgeMs: Math.max(1000, info.retentionMs), segmentBytes: topicSegmentBytes };
        await forEach(info.partitions, (partition) =>
          this.#streams.make(this.#names.partition(info.name, partition), limits),
        );
        await this.#write({ made: info });
        await this.#refresh();
      } else if (found.partitions !== info.partitions) throw topicDiffers(found, info);
    });
  }

  /** False if there was none. */
  async delete(name: string): Promise<boolean> {
    return this.#locks.holding(`topic.${name}`, async () => {
      await this.#refresh();
      const found = this.#topics.get(name);
      if (found === undefined) return false;
      await this.#write({ gone: name });
      await this.#refresh();
      await forEach(found.partitions, async (partition) => {
        await this.#streams.remove(this.#names.partition(name, partition));
        for (const group of found.groups)
          await this.#streams.remove(this.#names.position(name, group, partition));
      });
      return true;
    });
  }

  async list(): Promise<readonly TopicInfo[]> {
    await this.#refresh();
    return [...this.#topics.values()]
      .map(({ name, partitions, retentionMs }) => ({ name, partitions, retentionMs }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** As it was known last, or as it is. `not_found` / `NO_TOPIC` if there is none. */
  async partitionsOf(topic: string): Promise<number> {
    if (!this.#topics.has(topic)) await this.#refresh();
    const found = this.#topics.get(topic);
    if (found === undefined) throw noTopic(topic);
    return found.partitions;
  }

  /** Whether the group was made. */
  async hasGroup(topic: string, group: string): Promise<boolean> {
    if (this.#topics.get(topic)?.groups.has(group) === true) return true;
    await this.#refresh();
    await this.partitionsOf(topic);
    return this.#topics.get(topic)?.groups.has(group) === true;
  }

  /** Writes down that it was made. */
  async addGroup(topic: string, group: string): Promise<void> {
    await this.#write({ group, of: topic });
    await this.#refresh();
  }

  /** What was known of it may be old. */
  forget(topic: string): void {
    this.#topics.delete(topic);
    this.#next = 0;
  }

  #write(entry: Entry): Promise<void> {
    const content = Buffer.from(JSON.stringify(entry));
    return this.#streams.publish([{ to: this.#names.registry, content, properties: { persistent: true } }]);
  }

  /** One reading serves all who ask before it begins. */
  async #refresh(): Promise<void> {
    await this.#reading?.catch(() => {});
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #read(): Promise<void> {
    if (this.#next === 0) this.#topics.clear();
    for (const found of await this.#streams.all(this.#names.registry, this.#next)) {
      if (offsetOf(found) < this.#next) continue;
      this.#apply(entryOf(found.content));
      this.#next = offsetOf(found) + 1;
    }
  }

  #apply(entry: Entry): void {
    if ('made' in entry) this.#topics.set(entry.made.name, { ...entry.made, groups: new Set() });
    else if ('gone' in entry) this.#topics.delete(entry.gone);
    else this.#topics.get(entry.of)?.groups.add(entry.group);
  }
}

function entryOf(content: Buffer): Entry {
  try {
    return JSON.parse(content.toString()) as Entry;
  } catch {
    const message = 'the stream of topics in RabbitMQ has something in it that is no entry: it is not ours';
    throw new HeddleError({ code: 'data_loss', reason: 'FOREIGN_STREAM', message, sent: false });
  }
}

/** For each partition, some at a time. */
export async function forEach(
  partitions: number,
  work: (partition: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < partitions) {
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: Math.min(8, partitions) }, worker));
}
