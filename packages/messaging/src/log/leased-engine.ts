import type { Runtime } from '@heddle/kernel';
import type { Engine, EnginePromises, JoinOptions, Membership, PartitionLag } from '../engine.ts';
import type { Delivery, Message } from '../message/message.ts';
import type { TopicInfo } from '../topic/topic.ts';
import { type LeaseTimes, LeasedMembership } from './leased-membership.ts';
import type { LogStore, Stored } from './log-store.ts';

/** An engine over a log that has no consumer groups of its own: they are kept by leases in the store. */
export function leasedEngine(runtime: Runtime, store: LogStore, times: LeaseTimes = {}): Engine {
  return new LeasedEngine(runtime, store, times);
}

class LeasedEngine implements Engine {
  readonly name: string;
  readonly promises: EnginePromises;
  readonly #runtime: Runtime;
  readonly #store: LogStore;
  readonly #times: LeaseTimes;
  readonly #memberships = new Set<Membership>();

  constructor(runtime: Runtime, store: LogStore, times: LeaseTimes) {
    this.name = store.name;
    this.promises = store.promises;
    this.#runtime = runtime;
    this.#store = store;
    this.#times = times;
  }

  createTopic(topic: TopicInfo): Promise<void> {
    return this.#store.createTopic(topic);
  }

  deleteTopic(name: string): Promise<boolean> {
    return this.#store.deleteTopic(name);
  }

  topics(): Promise<readonly TopicInfo[]> {
    return this.#store.topics();
  }

  append(messages: readonly Message[]): Promise<void> {
    return this.#store.append(messages);
  }

  join(options: JoinOptions): Membership {
    const membership = new LeasedMembership(this.#runtime, this.#store, options, this.#times);
    this.#memberships.add(membership);
    return {
      end: () => membership.end(),
      leave: () => {
        this.#memberships.delete(membership);
        return membership.leave();
      },
    };
  }

  lag(topic: string, group: string): Promise<readonly PartitionLag[]> {
    return this.#store.lag(topic, group);
  }

  async browse(topic: string, limit: number): Promise<readonly Delivery[]> {
    return (await this.#store.browse(topic, limit)).map(seenOnce);
  }

  discard(topic: string, partition: number, offset: number): Promise<boolean> {
    return this.#store.discard(topic, partition, offset);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#memberships].map((membership) => membership.leave()));
    await this.#store.close();
  }
}

function seenOnce(stored: Stored): Delivery {
  return { ...stored, attempt: 1 };
}
