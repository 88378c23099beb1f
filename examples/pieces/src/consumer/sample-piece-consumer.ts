import { HeddleError, type Part } from '@heddle/kernel';
import type { Broker, Subscription } from '@heddle/messaging';

/** What a message of the topic `sample-piece` says. */
export interface SamplePieceMessage {
  readonly id: string;
}

/** What is made of it. May be called again with the same `id`: a message comes at least once. */
export type SamplePieceHandler = (message: SamplePieceMessage, id: string) => Promise<void>;

/**
 * Reads the topic `sample-piece` as a part of a service (`parts` of its app). Each message goes to one member of `group`, those of a key in
 * their order; one that fails is tried five times, then put aside with the reason (`heddle dlq list`).
 */
export function samplePieceConsumer(bus: Broker, group: string, handle: SamplePieceHandler): Part {
  let subscription: Subscription | undefined;
  return {
    name: 'sample-piece consumer',
    start: async () => {
      await bus.createTopic('sample-piece', { partitions: 4 });
      subscription = await bus.subscribe('sample-piece', { group, attempts: 5 }, async ({ message }) => {
        await handle(readMessage(message.payload), message.id);
      });
    },
    stop: async () => {
      await subscription?.close();
    },
  };
}

function readMessage(payload: Uint8Array): SamplePieceMessage {
  const text = new TextDecoder().decode(payload);
  const value = JSON.parse(text) as Partial<SamplePieceMessage> | null;
  if (typeof value?.id === 'string') return { id: value.id };
  const message = `sample-piece: expected a message with "id", found ${text.slice(0, 100)}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_MESSAGE', message });
}
