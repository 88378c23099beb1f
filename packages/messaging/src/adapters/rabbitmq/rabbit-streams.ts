import { HeddleError } from '@heddle/kernel';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import type { RabbitConnection } from './rabbit-connection.ts';
import { rabbitError } from './rabbit-error.ts';
import { type Outgoing, publishTogether } from './rabbit-frames.ts';
import { bornProperties, offsetOf } from './rabbit-message.ts';

// A chunk of a stream has no more messages than this, and neither can more be asked for.
const wholeChunk = 65_535;
const empty = Buffer.alloc(0);

/** How a stream is cut: in segments, of which the oldest go when it is larger or older than it says. */
export interface StreamLimits {
  readonly maxAgeMs?: number;
  readonly maxBytes?: number;
  readonly segmentBytes: number;
}

/** Streams of one server, as AMQP 0-9-1 has them: there is no word for their end, so it is read off what lies there. */
export class RabbitStreams {
  readonly #reading: RabbitConnection;
  readonly #writing: RabbitConnection;

  constructor(reading: RabbitConnection, writing: RabbitConnection) {
    this.#reading = reading;
    this.#writing = writing;
  }

  /** Makes one that has nothing in it but the word that it was born; what was there of that name goes. */
  async make(name: string, limits: StreamLimits): Promise<void> {
    await this.remove(name);
    await this.declare(name, limits);
    await this.publish([{ to: name, content: empty, properties: bornProperties }]);
  }

  /** Makes one, or finds it made. */
  async declare(name: string, { maxAgeMs, maxBytes, segmentBytes }: StreamLimits): Promise<void> {
    const limits = {
      'x-queue-type': 'stream',
      'x-stream-max-segment-size-bytes': segmentBytes,
      ...(maxAgeMs !== undefined && { 'x-max-age': `${Math.ceil(maxAgeMs / 1000)}s` }),
      ...(maxBytes !== undefined && { 'x-max-length-bytes': maxBytes }),
    };
    await this.#do((channel) => channel.assertQueue(name, { durable: true, arguments: limits }));
  }

  /** Removes it with all that is in it, if it is there. */
  async remove(name: string): Promise<void> {
    await this.#do((channel) => channel.deleteQueue(name));
  }

  /** Resolves when the server has confirmed each. Rejects with `NO_QUEUE` when one of them has no queue to go to. */
  async publish(all: readonly Outgoing[]): Promise<void> {
    if (all.length === 0) return;
    const channel = await this.#writing.publishing();
    let returned = false;
    const onReturn = (): void => {
      returned = true;
    };
    channel.on('return', onReturn);
    try {
      await this.#writing.answered(confirmed(channel, all));
    } catch (thrown) {
      throw rabbitError(thrown);
    } finally {
      channel.off('return', onReturn);
    }
    // Publishes of others on this channel may be meant: then they are asked to look, too.
    if (returned) throw noQueue();
  }

  /** The messages of the last chunk, in order: the last of them is the last of the stream. */
  last(name: string): Promise<readonly ConsumeMessage[]> {
    return this.#chunk(name, 'last');
  }

  /** The offset that the next message will get. */
  async end(name: string): Promise<number> {
    const last = (await this.last(name)).at(-1);
    return last === undefined ? 0 : offsetOf(last) + 1;
  }

  /** The first offset of which there is something, beside the word of the birth. */
  async begin(name: string): Promise<number> {
    const [first] = await this.#chunk(name, 'first');
    return Math.max(1, first === undefined ? 0 : offsetOf(first));
  }

  /** All messages from `from` on, up to the end as it is now. */
  async all(name: string, from: number): Promise<readonly ConsumeMessage[]> {
    const end = await this.end(name);
    if (from >= end) return [];
    return this.#collect(name, from, (found) => offsetOf(found) >= end - 1);
  }

  /** The server sends a chunk as one, so that what it sends before the answer to our cancelling is all of it. */
  #chunk(name: string, offset: 'first' | 'last'): Promise<readonly ConsumeMessage[]> {
    return this.#collect(name, offset, () => true);
  }

  async #collect(
    name: string,
    offset: number | 'first' | 'last',
    isLast: (found: ConsumeMessage) => boolean,
  ): Promise<readonly ConsumeMessage[]> {
    return this.#do(async (channel) => {
      await channel.prefetch(wholeChunk);
      const found: ConsumeMessage[] = [];
      let consumer = '';
      await new Promise<void>((resolve, reject) => {
        const onMessage = (message: ConsumeMessage | null): void => {
          if (message === null) reject(noQueue());
          else {
            found.push(message);
            // The more is taken off, the more comes: of what is read from end to end.
            if (found.length % 1000 === 0) channel.ack(message, true);
            if (isLast(message)) resolve();
          }
        };
        channel.on('close', () => reject(noQueue()));
        channel
          .consume(name, onMessage, { arguments: { 'x-stream-offset': offset } })
          .then(({ consumerTag }) => {
            consumer = consumerTag;
          }, reject);
      });
      await channel.cancel(consumer);
      return found;
    });
  }

  async #do<T>(work: Parameters<RabbitConnection['do']>[0]): Promise<T> {
    try {
      return (await this.#reading.do(work)) as T;
    } catch (thrown) {
      throw rabbitError(thrown);
    }
  }
}

/** Publishes all; resolves when each was confirmed. */
function confirmed(channel: ConfirmChannel, all: readonly Outgoing[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = all.length;
    const onConfirm = (error: unknown): void => {
      left -= 1;
      if (error !== null && error !== undefined) reject(rabbitError(error));
      else if (left === 0) resolve();
    };
    if (publishTogether(channel, all, onConfirm)) return;
    for (const { exchange = '', to, content, properties } of all)
      channel.publish(exchange, to, content, properties, onConfirm);
  });
}

function noQueue(): HeddleError {
  const message = 'RabbitMQ has no queue of that name (any more)';
  return new HeddleError({ code: 'unavailable', reason: 'NO_QUEUE', message, sent: false });
}
