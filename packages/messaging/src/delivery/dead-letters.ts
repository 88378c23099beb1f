import { HeddleError } from '@heddle/kernel';
import type { Engine } from '../engine.ts';
import type { Delivery, Message } from '../message/message.ts';
import { deadLetterTopic } from '../topic/topic.ts';

/** A message that a group could not handle, and why. */
export interface DeadLetter {
  /** The message as it was sent. */
  readonly message: Message;
  readonly group: string;
  /** Attempts that were made. */
  readonly attempts: number;
  readonly code: string;
  readonly reason: string;
  readonly error: string;
  /** Where it lay. */
  readonly partition: number;
  readonly offset: number;
  /** When it was put aside: milliseconds since 1970. */
  readonly deadAtMs: number;
}

const prefix = 'dead-';

/** The dead letters of one group of one topic: to be listed, replayed or dropped, by id of the message. */
export class DeadLetters {
  readonly #engine: Engine;
  readonly #origin: string;
  readonly #group: string;
  readonly #topic: string;
  readonly #nowMs: () => number;
  #made = false;

  constructor(engine: Engine, origin: string, group: string, nowMs: () => number) {
    this.#engine = engine;
    this.#origin = origin;
    this.#group = group;
    this.#topic = deadLetterTopic(origin, group);
    this.#nowMs = nowMs;
  }

  /** Puts a message aside. */
  async add({ message, partition, offset, attempt }: Delivery, error: HeddleError): Promise<void> {
    await this.#make();
    const why = {
      [`${prefix}attempts`]: String(attempt),
      [`${prefix}code`]: error.code,
      [`${prefix}reason`]: error.reason,
      [`${prefix}error`]: printable(error.message),
      [`${prefix}partition`]: String(partition),
      [`${prefix}offset`]: String(offset),
      [`${prefix}at`]: String(Math.floor(this.#nowMs())),
    };
    const headers = { ...message.headers, ...why };
    await this.#engine.append([{ ...message, topic: this.#topic, deliverAtMs: 0, headers }]);
  }

  /** The oldest ones, `limit` (default 100) at most. */
  async list(limit = 100): Promise<readonly DeadLetter[]> {
    return (await this.#browse(limit)).map(({ message }) => this.#read(message));
  }

  /** One of them. `not_found` / `NO_DEAD_LETTER` if it is not there. */
  async get(id: string): Promise<DeadLetter> {
    return this.#read((await this.#find(id)).message);
  }

  /**
   * Sends it to its topic again, under its id, and takes it off the list. All groups of the topic see it again: those
   * that have an inbox know it. A death between the two steps leaves it on the list: it may be sent twice.
   */
  async replay(id: string): Promise<void> {
    const found = await this.#find(id);
    await this.#engine.append([this.#read(found.message).message]);
    await this.#engine.discard(this.#topic, found.partition, found.offset);
  }

  /** Takes it off the list for good. */
  async drop(id: string): Promise<void> {
    const { partition, offset } = await this.#find(id);
    await this.#engine.discard(this.#topic, partition, offset);
  }

  async #find(id: string): Promise<Delivery> {
    const found = (await this.#browse(Number.MAX_SAFE_INTEGER)).find(({ message }) => message.id === id);
    if (found !== undefined) return found;
    const text = `group ${this.#group} has no dead letter ${id} of topic ${this.#origin}; list shows those there are`;
    throw new HeddleError({ code: 'not_found', reason: 'NO_DEAD_LETTER', message: text, sent: false });
  }

  async #browse(limit: number): Promise<readonly Delivery[]> {
    try {
      return await this.#engine.browse(this.#topic, limit);
    } catch (thrown) {
      if (HeddleError.from(thrown).reason === 'NO_TOPIC') return [];
      throw thrown;
    }
  }

  async #make(): Promise<void> {
    if (this.#made) return;
    // A year: a dead letter waits for a person.
    await this.#engine.createTopic({ name: this.#topic, partitions: 1, retentionMs: 365 * 86_400_000 });
    this.#made = true;
  }

  #read(stored: Message): DeadLetter {
    const headers = Object.fromEntries(
      Object.entries(stored.headers).filter(([name]) => !name.startsWith(prefix)),
    );
    const said = (name: string): string => stored.headers[`${prefix}${name}`] ?? '';
    return {
      message: { ...stored, topic: this.#origin, headers },
      group: this.#group,
      attempts: Number(said('attempts')),
      code: said('code'),
      reason: said('reason'),
      error: said('error'),
      partition: Number(said('partition')),
      offset: Number(said('offset')),
      deadAtMs: Number(said('at')),
    };
  }
}

function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 2000);
}
