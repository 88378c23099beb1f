import type { Delivery, Message } from '../message/message.ts';

/** What a broker tells whoever counts. Must not throw; called on the path of every message. */
export interface BrokerMeasures {
  published(messages: readonly Message[]): void;
  /** `dead`: put aside as a dead letter. */
  consumed(
    outcome: 'handled' | 'retried' | 'dead',
    topic: string,
    group: string,
    deliveries: readonly Delivery[],
  ): void;
}
