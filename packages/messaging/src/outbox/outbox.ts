import { type Call, HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { Broker } from '../broker.ts';
import { completeMessage } from '../message/complete-message.ts';
import type { Message, MessageInit } from '../message/message.ts';
import { noTopic } from '../topic/topic-error.ts';

/** A message in an outbox, by its number: numbers grow in the order in which they were written. */
export interface OutboxEntry {
  readonly number: number;
  readonly message: Message;
}

/** Where a sender's effects are, and with them the messages that are to follow from them. */
export interface OutboxStore<Tx> {
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Writes messages, as part of the transaction. */
  add(tx: Tx, messages: readonly Message[]): Promise<void>;
  /**
   * Gives the oldest entries to `send`, and removes those whose numbers it resolves with; nobody else does so at the
   * same time. Resolves with how many it gave: 0 if there are none or somebody else is at it.
   */
  relay(most: number, send: (entries: readonly OutboxEntry[]) => Promise<readonly number[]>): Promise<number>;
  /** Puts one aside that can never be sent, with the reason: it stays, for a person to see. */
  park(number: number, reason: string): Promise<void>;
  /** Something may have been added by another process. Returns what ends that. */
  onAdd(listener: () => void): () => void;
}

/** What an outbox is made from. */
export interface OutboxOptions<Tx> {
  readonly runtime: Runtime;
  /** The name of this service, for `Message.source`. */
  readonly source: string;
  readonly store: OutboxStore<Tx>;
  /** Where the messages go. */
  readonly broker: Broker;
  /** How often to look although nobody has said that there is something. Default 1000. */
  readonly pollMs?: number;
}

const mostAtOnce = 500;

/**
 * Messages that are sent if, and only if, the sender's transaction commits: they are rows of that transaction, and a
 * relay sends them on, in order, as often as it takes. Every instance of a service may have one: one at a time relays.
 * A message can be sent twice, under one id, when the relay dies at the wrong moment: an inbox makes that one effect.
 */
export class Outbox<Tx> {
  readonly #options: OutboxOptions<Tx>;
  readonly #topics = new Set<string>();
  #timer: Timer | undefined;
  #stopListening: () => void = () => {};
  #relaying: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  #failures = 0;

  constructor(options: OutboxOptions<Tx>) {
    this.#options = options;
  }

  /** Begins to relay. */
  start(): void {
    this.#stopListening = this.#options.store.onAdd(() => this.#poke());
    this.#poke();
  }

  /** Ends when what is being relayed is done. What is left waits for the next start, here or elsewhere. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopListening();
    this.#timer?.cancel();
    await this.#relaying;
  }

  /** A transaction of the store, after whose commit the relay looks at once. */
  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    const value = await this.#options.store.transaction(work);
    this.#poke();
    return value;
  }

  /** Looks now: after the commit of a transaction that was not run by `transaction`. */
  wake(): void {
    this.#poke();
  }

  /**
   * Writes messages as part of the transaction. Rejects with `BAD_MESSAGE` or `NO_TOPIC` before anything is written:
   * what could never be sent must not be promised.
   */
  async publish(tx: Tx, inits: readonly MessageInit[], call?: Call): Promise<readonly Message[]> {
    const messages = inits.map((init) => completeMessage(init, this.#options, call));
    for (const { topic } of messages) await this.#requireTopic(topic);
    await this.#options.store.add(tx, messages);
    return messages;
  }

  async #requireTopic(name: string): Promise<void> {
    if (this.#topics.has(name)) return;
    for (const topic of await this.#options.broker.topics()) this.#topics.add(topic.name);
    if (!this.#topics.has(name)) throw noTopic(name);
  }

  #poke(): void {
    if (this.#stopped) return;
    this.#again = true;
    this.#relaying ??= this.#relay().finally(() => {
      this.#relaying = undefined;
    });
  }

  async #relay(): Promise<void> {
    while (this.#again && !this.#stopped) {
      this.#again = false;
      this.#timer?.cancel();
      await this.#relayAll();
    }
    if (this.#stopped) return;
    const { runtime, pollMs = 1000 } = this.#options;
    const waitMs = pollMs * Math.min(8, 2 ** this.#failures) * (0.5 + 0.5 * runtime.random.float());
    this.#timer = runtime.timers.after(waitMs, () => this.#poke());
  }

  async #relayAll(): Promise<void> {
    const { store, runtime } = this.#options;
    try {
      while (!this.#stopped && (await store.relay(mostAtOnce, (entries) => this.#send(entries))) > 0);
      this.#failures = 0;
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (this.#failures === 0)
        runtime.log('warn', 'the outbox cannot be relayed', { reason: error.reason, error: error.message });
      this.#failures += 1;
    }
  }

  async #send(entries: readonly OutboxEntry[]): Promise<readonly number[]> {
    const { broker } = this.#options;
    try {
      await broker.publishBatch(entries.map(({ message }) => message));
      return entries.map(({ number }) => number);
    } catch (thrown) {
      if (!isHopeless(HeddleError.from(thrown))) throw thrown;
      return this.#sendEach(entries);
    }
  }

  /** One of them can never be sent: the others are not to wait for it for ever. */
  async #sendEach(entries: readonly OutboxEntry[]): Promise<readonly number[]> {
    const { broker, store, runtime } = this.#options;
    const sent: number[] = [];
    for (const { number, message } of entries) {
      try {
        await broker.publishBatch([message]);
        sent.push(number);
      } catch (thrown) {
        const error = HeddleError.from(thrown);
        if (!isHopeless(error)) return sent;
        runtime.log('error', 'a message of the outbox can never be sent and is put aside', {
          id: message.id,
          topic: message.topic,
          reason: error.reason,
          error: error.message,
        });
        await store.park(number, `${error.reason}: ${error.message}`);
      }
    }
    return sent;
  }
}

function isHopeless({ code }: HeddleError): boolean {
  return code === 'not_found' || code === 'invalid_argument' || code === 'unimplemented';
}
