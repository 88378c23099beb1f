import { HeddleError, type Runtime, sleep } from '@heddle/kernel';
import type { Channel } from 'amqplib';
import type { Names } from './rabbit-names.ts';
import type { RabbitConnection } from './rabbit-connection.ts';
import { rabbitError, replyCodeOf, replyCodes } from './rabbit-error.ts';

const waitMs = 20;
const patienceMs = 15_000;

/**
 * What one connection has, and no other: an exclusive queue, which the server removes when the connection ends. So
 * whoever falls silent loses it, and whatever it still sends goes nowhere.
 */
export class RabbitLocks {
  readonly #runtime: Runtime;
  readonly #connection: RabbitConnection;
  readonly #names: Names;

  constructor(runtime: Runtime, connection: RabbitConnection, names: Names) {
    this.#runtime = runtime;
    this.#connection = connection;
    this.#names = names;
  }

  /** False if somebody else has it. */
  async take(what: string): Promise<boolean> {
    const options = { exclusive: true, durable: false, autoDelete: false };
    return this.#unlessLocked((channel) => channel.assertQueue(this.#names.lock(what), options));
  }

  /** Nobody need have it. */
  async give(what: string): Promise<void> {
    await this.#unlessLocked((channel) => channel.deleteQueue(this.#names.lock(what)));
  }

  /** Whether anybody has it, on whatever connection. */
  async isTaken(what: string): Promise<boolean> {
    try {
      // Ours can be looked at, others' are refused: either way it is there.
      await this.#unlessLocked((channel) => channel.checkQueue(this.#names.lock(what)));
      return true;
    } catch (thrown) {
      if (replyCodeOf((thrown as Error).cause) === replyCodes.notFound) return false;
      throw thrown;
    }
  }

  /** Does it when nobody else does anything with what is called so. */
  async holding<T>(what: string, work: () => Promise<T>): Promise<T> {
    const giveUpMs = this.#runtime.clock.nowMs() + patienceMs;
    while (!(await this.take(what))) {
      if (this.#runtime.clock.nowMs() >= giveUpMs) throw busy(what);
      await sleep(this.#runtime.timers, waitMs * (1 + this.#runtime.random.float()));
    }
    try {
      return await work();
    } finally {
      // If the server does not hear of it, the end of the connection tells it.
      await this.give(what).catch(() => {});
    }
  }

  async #unlessLocked(work: (channel: Channel) => Promise<unknown>): Promise<boolean> {
    try {
      await this.#connection.do(work);
      return true;
    } catch (thrown) {
      if (replyCodeOf(thrown) === replyCodes.resourceLocked) return false;
      throw rabbitError(thrown);
    }
  }
}

function busy(what: string): HeddleError {
  const message = `RabbitMQ: somebody else has held ${what} for ${patienceMs} ms`;
  return new HeddleError({ code: 'unavailable', reason: 'RABBITMQ_BUSY', message, sent: false });
}
