import { prepared, type SqlListener, type SqlPool } from '@heddle/sql';
import { wakeChannel } from './schema.ts';

// A wake-up is no reason to wait for the disk.
const notify = prepared(
  `SELECT set_config('synchronous_commit', 'off', true), pg_notify('${wakeChannel}', name)
     FROM unnest($1::text[]) AS names (name)`,
);

/**
 * Wake-ups between processes. A `NOTIFY` takes a lock of the whole server at its commit, so none is part of a
 * transaction that does anything else, and however much happens, one is on its way at a time.
 */
export class Wakes {
  readonly #pool: SqlPool;
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #waiting = new Set<string>();
  #sending: Promise<void> | undefined;

  constructor(pool: SqlPool, listener: SqlListener) {
    this.#pool = pool;
    listener.on((payload) => {
      if (payload !== undefined) this.#wake(payload);
      else for (const name of this.#listeners.keys()) this.#wake(name);
    });
  }

  /** Calls `listener` after each `tell` of this name, here or elsewhere. Returns what ends that. */
  on(name: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(name);
    };
  }

  /** Wakes everybody, here at once. Never rejects: whoever is not woken looks by itself, later. */
  tell(name: string): void {
    this.#wake(name);
    this.#waiting.add(name);
    this.#sending ??= this.#send();
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    await this.#sending;
  }

  async #send(): Promise<void> {
    while (this.#waiting.size > 0) {
      const names = [...this.#waiting];
      this.#waiting.clear();
      await this.#pool.query(notify, [names]).catch(() => {});
    }
    this.#sending = undefined;
  }

  #wake(name: string): void {
    for (const listener of this.#listeners.get(name) ?? []) listener();
  }
}
