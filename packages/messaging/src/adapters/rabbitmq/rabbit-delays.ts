import { HeddleError } from '@heddle/kernel';
import type { RabbitConnection } from './rabbit-connection.ts';
import { rabbitError } from './rabbit-error.ts';
import type { Names } from './rabbit-names.ts';
import { forEach } from './rabbit-registry.ts';

// 2^27 units of 100 ms: 155 days.
const levels = 27;
const unitMs = 100;

/**
 * Messages for later. A queue hands on what it has kept for its time: there is one for each power of two, and a delay
 * goes through those that its binary digits name, the longest first. So what waits in one queue waits equally long, and
 * none is held up by another. Never too early, and up to a unit too late.
 */
export class RabbitDelays {
  readonly #connection: RabbitConnection;
  readonly #names: Names;
  readonly #bound = new Set<string>();
  #made: Promise<void> | undefined;

  constructor(connection: RabbitConnection, names: Names) {
    this.#connection = connection;
    this.#names = names;
  }

  /** Where to publish what is to be in this partition after so long. */
  async route(
    topic: string,
    partition: number,
    delayMs: number,
  ): Promise<{ readonly exchange: string; readonly to: string }> {
    const units = Math.ceil(Math.max(0, delayMs) / unitMs);
    if (units >= 2 ** levels) throw tooLate(delayMs);
    const queue = this.#names.partition(topic, partition);
    await this.#make();
    await this.#bind(queue);
    const digits = units.toString(2).padStart(levels, '0');
    return { exchange: this.#names.later(levels - 1), to: `${digits.split('').join('.')}.${queue}` };
  }

  /** The topic was made anew, or has gone. */
  forget(topic: string): void {
    for (const queue of this.#bound)
      if (queue.startsWith(this.#names.partition(topic, 0).slice(0, -1))) this.#bound.delete(queue);
  }

  #make(): Promise<void> {
    this.#made ??= this.#makeAll().catch((thrown: unknown) => {
      this.#made = undefined;
      throw rabbitError(thrown);
    });
    return this.#made;
  }

  async #makeAll(): Promise<void> {
    const names = this.#names;
    await forEach(levels + 1, (at) =>
      this.#connection.do((channel) =>
        channel.assertExchange(names.later(at - 1), 'topic', { durable: true }),
      ),
    );
    await forEach(levels, (level) =>
      this.#connection.do(async (channel) => {
        const queue = names.later(level);
        await channel.assertQueue(queue, {
          durable: true,
          arguments: {
            'x-queue-type': 'quorum',
            'x-message-ttl': unitMs * 2 ** level,
            'x-dead-letter-exchange': names.later(level - 1),
            // What is handed on is kept until where it goes has confirmed it.
            'x-dead-letter-strategy': 'at-least-once',
            'x-overflow': 'reject-publish',
          },
        });
        const before = '*.'.repeat(levels - 1 - level);
        await channel.bindQueue(queue, names.later(level), `${before}1.#`);
        await channel.bindExchange(names.later(level - 1), names.later(level), `${before}0.#`);
      }),
    );
  }

  async #bind(queue: string): Promise<void> {
    if (this.#bound.has(queue)) return;
    const pattern = `${'*.'.repeat(levels)}${queue}`;
    await this.#connection.do((channel) => channel.bindQueue(queue, this.#names.later(-1), pattern));
    this.#bound.add(queue);
  }
}

function tooLate(delayMs: number): HeddleError {
  const days = Math.floor((unitMs * 2 ** levels) / 86_400_000);
  const message = `RabbitMQ can deliver ${days} days later at most, not ${Math.floor(delayMs / 86_400_000)} (deliverAtMs)`;
  return new HeddleError({ code: 'unimplemented', reason: 'UNSUPPORTED', message, sent: false });
}
