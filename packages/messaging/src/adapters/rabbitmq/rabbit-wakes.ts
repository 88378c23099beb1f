import { type Runtime, sleep } from '@heddle/kernel';
import type { Channel } from 'amqplib';
import type { RabbitConnection } from './rabbit-connection.ts';
import type { Names } from './rabbit-names.ts';

const againMs = 500;

/**
 * What members of groups tell each other. A word that is missed costs the time until the next look, so nothing here is
 * confirmed or repeated.
 */
export class RabbitWakes {
  readonly #runtime: Runtime;
  readonly #connection: RabbitConnection;
  readonly #names: Names;
  readonly #heard: (group: string, text: string) => void;
  readonly #groups = new Set<string>();
  #channel: Promise<{ readonly channel: Channel; readonly queue: string } | undefined> | undefined;
  #closed = false;

  constructor(
    runtime: Runtime,
    connection: RabbitConnection,
    names: Names,
    heard: (group: string, text: string) => void,
  ) {
    this.#runtime = runtime;
    this.#connection = connection;
    this.#names = names;
    this.#heard = heard;
  }

  /** Hears of the group from now on. */
  follow(group: string): void {
    if (this.#groups.has(group)) return;
    this.#groups.add(group);
    void this.#open().then((open) =>
      open?.channel.bindQueue(open.queue, this.#names.wakes, group).catch(() => {}),
    );
  }

  /** Hears nothing of it any more. */
  unfollow(group: string): void {
    this.#groups.delete(group);
    void this.#channel?.then((open) =>
      open?.channel.unbindQueue(open.queue, this.#names.wakes, group).catch(() => {}),
    );
  }

  tell(group: string, text: string): void {
    void this.#open().then((open) => {
      try {
        open?.channel.publish(this.#names.wakes, group, Buffer.from(text));
      } catch {
        // The channel has just been closed.
      }
    });
  }

  close(): void {
    this.#closed = true;
  }

  #open(): Promise<{ readonly channel: Channel; readonly queue: string } | undefined> {
    this.#channel ??= this.#openOnce().catch(() => {
      this.#channel = undefined;
      return undefined;
    });
    return this.#channel;
  }

  async #openOnce(): Promise<{ readonly channel: Channel; readonly queue: string }> {
    const channel = await this.#connection.channel();
    channel.on('close', () => {
      this.#channel = undefined;
      void this.#openAgain();
    });
    await channel.assertExchange(this.#names.wakes, 'direct', { durable: true });
    const { queue } = await channel.assertQueue('', { exclusive: true, durable: false, autoDelete: true });
    for (const group of this.#groups) await channel.bindQueue(queue, this.#names.wakes, group);
    const onMessage = ({ fields, content }: { fields: { routingKey: string }; content: Buffer }): void =>
      this.#heard(fields.routingKey, content.toString());
    await channel.consume(queue, (found) => found && onMessage(found), { noAck: true });
    return { channel, queue };
  }

  async #openAgain(): Promise<void> {
    while (!this.#closed && this.#groups.size > 0 && (await this.#open()) === undefined)
      await sleep(this.#runtime.timers, againMs);
  }
}
