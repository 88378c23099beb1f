import { MemoryState } from '../memory-state.ts';
import type { Message } from '../message/message.ts';
import type { OutboxEntry, OutboxStore } from './outbox.ts';

/** Whether the process that has a connection still lives. */
type IsAlive = () => boolean;

/**
 * A sender's store in memory, for tests and the simulator: its state and its outbox, changed together or not at all.
 * Processes of one simulation share it; each connects for itself. The work of a transaction may run more than once.
 */
export class MemoryOutbox<State extends object> {
  readonly #entries: OutboxEntry[] = [];
  readonly #parked: OutboxEntry[] = [];
  readonly #listeners = new Set<() => void>();
  /** By the copy that a transaction works on. */
  readonly #added = new WeakMap<State, Message[]>();
  readonly #state: MemoryState<State>;
  #numbers = 0;
  #relaying: IsAlive | undefined;

  constructor(state: State) {
    this.#state = new MemoryState(state);
  }

  /** What has been committed. */
  get state(): State {
    return this.#state.committed;
  }

  /** Messages that were not sent yet. */
  get size(): number {
    return this.#entries.length;
  }

  /** Messages that can never be sent. */
  get parked(): readonly OutboxEntry[] {
    return this.#parked;
  }

  /** One process's way to it: when that has died, what it held is free. */
  connect(isAlive: IsAlive = () => true): OutboxStore<State> {
    return {
      transaction: (work) => this.#transaction(work),
      add: async (tx, messages) => {
        this.#added.set(tx, [...(this.#added.get(tx) ?? []), ...messages]);
      },
      relay: (most, send) => this.#relay(isAlive, most, send),
      park: async (number) => {
        const at = this.#entries.findIndex((entry) => entry.number === number);
        this.#parked.push(...this.#entries.splice(at, at < 0 ? 0 : 1));
      },
      onAdd: (listener) => {
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
  }

  #transaction<T>(work: (tx: State) => Promise<T>): Promise<T> {
    return this.#state.transaction(work, (draft) => {
      for (const message of this.#added.get(draft) ?? []) {
        this.#numbers += 1;
        this.#entries.push({ number: this.#numbers, message });
      }
      for (const listener of this.#listeners) listener();
    });
  }

  async #relay(
    isAlive: IsAlive,
    most: number,
    send: (entries: readonly OutboxEntry[]) => Promise<readonly number[]>,
  ): Promise<number> {
    if (this.#relaying?.() === true) return 0;
    const given = this.#entries.slice(0, most);
    if (given.length === 0) return 0;
    this.#relaying = isAlive;
    try {
      const sent = new Set(await send(given));
      const kept = this.#entries.filter(({ number }) => !sent.has(number));
      this.#entries.splice(0, this.#entries.length, ...kept);
      return given.length;
    } finally {
      if (this.#relaying === isAlive) this.#relaying = undefined;
    }
  }
}
