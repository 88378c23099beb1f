import type { Runtime, Timer } from '@heddle/kernel';
import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import type { TopicInfo } from '../../topic/topic.ts';
import type { Names } from './names.ts';
import type { NatsGroups } from './nats-groups.ts';

/** What retention is made from. */
export interface RetentionOptions {
  readonly runtime: Runtime;
  readonly jsm: JetStreamManager;
  readonly names: Names;
  readonly groups: NatsGroups;
  readonly everyMs: number;
}

/**
 * Drops what is older than its topic keeps it and was passed by every group, partition by partition. JetStream's own
 * limits know of no groups: by them, a group that is behind would lose what it has not had.
 */
export class Retention {
  readonly #options: RetentionOptions;
  readonly #topics = new Map<string, TopicInfo>();
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Keeps this topic up from now on, as every other member of its groups does. */
  follow(topic: TopicInfo): void {
    this.#topics.set(topic.name, topic);
    if (this.#timer === undefined) this.#later();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#running;
  }

  #later(): void {
    if (this.#stopped) return;
    const { runtime, everyMs } = this.#options;
    this.#timer = runtime.timers.after(everyMs * (0.5 + runtime.random.float()), () => {
      this.#running = this.#runAll().finally(() => this.#later());
    });
  }

  async #runAll(): Promise<void> {
    for (const topic of this.#topics.values()) {
      try {
        await this.#run(topic);
      } catch {
        // Nothing is lost by dropping later; a topic that has gone needs it no more.
        this.#topics.delete(topic.name);
      }
    }
  }

  async #run({ name, partitions, retentionMs }: TopicInfo): Promise<void> {
    const { jsm, names, groups, runtime } = this.#options;
    const all = await groups.names(name);
    const cutoff = new Date(runtime.clock.wallMs() - retentionMs);
    for (let partition = 0; partition < partitions; partition += 1) {
      const positions = await Promise.all(all.map((group) => groups.position(name, group, partition)));
      const reached = Math.min(...positions.map((each) => each?.next ?? Number.POSITIVE_INFINITY));
      const young = await this.#firstAfter(names.stream(name), names.messages(name, partition), cutoff);
      const keep = Math.min(reached, young);
      if (keep > 1)
        await jsm.streams.purge(names.stream(name), { filter: names.messages(name, partition), seq: keep });
    }
  }

  /** The sequence of the first message that is to be kept for its age; that after the last if there is none. */
  async #firstAfter(stream: string, subject: string, cutoff: Date): Promise<number> {
    const { jsm } = this.#options;
    const { state } = await jsm.streams.info(stream);
    const consumer = await jsm.consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartTime,
      opt_start_time: cutoff.toISOString(),
      filter_subject: subject,
      inactive_threshold: 5_000_000_000,
      mem_storage: true,
    });
    // Where the consumer stands before it has delivered anything: just before its first message.
    const first = consumer.num_pending === 0 ? state.last_seq + 1 : consumer.delivered.stream_seq + 1;
    await jsm.consumers.delete(stream, consumer.name);
    return first;
  }
}
