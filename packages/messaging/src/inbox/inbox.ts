import type { Call } from '@heddle/kernel';
import type { BatchHandler } from '../delivery/handling.ts';
import type { Delivery } from '../message/message.ts';

/** Where a receiver's effects are, and with them the record of which messages have had theirs. */
export interface InboxStore<Tx> {
  /** All that `work` does by its transaction happens, or nothing. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Records these messages as handled by the group, and says which of them were not yet. Part of the transaction. */
  record(tx: Tx, group: string, ids: readonly string[]): Promise<ReadonlySet<string>>;
}

/** What is done with one message; its effects are those of `tx`, and of nothing else. */
export type InboxHandler<Tx> = (delivery: Delivery, tx: Tx, call: Call) => Promise<void>;

/**
 * Makes a handler whose effect happens exactly once, however often a message comes: the messages are recorded in the
 * transaction that has the effects, and who is recorded already is skipped. For `subscribeBatch`, in at-least-once mode.
 * The scope: effects through `tx`, including messages that are published through an outbox in it. A mail that the
 * handler sends itself is sent as often as it runs.
 */
export function inbox<Tx>(store: InboxStore<Tx>, group: string, handler: InboxHandler<Tx>): BatchHandler {
  return (deliveries, call) =>
    store.transaction(async (tx) => {
      const ids = deliveries.map(({ message }) => message.id);
      const fresh = new Set(await store.record(tx, group, ids));
      for (const delivery of deliveries) {
        // Twice in one batch is once too.
        if (fresh.delete(delivery.message.id)) await handler(delivery, tx, call);
      }
    });
}
