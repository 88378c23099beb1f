import { prepared, type SqlListener, type SqlPool } from '@heddle/sql';
import { wakeChannel } from './schema.ts';

// A wake-up is no reason to wait for the disk.
const notify = prepared(
  `SELECT set_config('synchronous_commit', 'off', true), pg_notify('${wakeChannel}', said)
     FROM unnest($1::text[]) AS words (said)`,
);

/** Hears of a name, and of what part of it; of all of it without. */
export type WakeListener = (part?: number) => void;

/**
 * Wake-ups between processes. A `NOTIFY` takes a lock of the whole server at its commit, so none is part of a
 * transaction that does anything else, and however much happens, one is on its way at a time. What is told here is heard
 * here at once, and not a second time when it comes back.
 */
export class Wakes {
  readonly #pool: SqlPool;
  readonly #origin: string;
  readonly #listeners = new Map<string, Set<WakeListener>>();
  readonly #waiting = new Set<string>();
  #sending: Promise<void> | undefined;

  /** `origin` is unique among all who tell, and has no space. */
  constructor(pool: SqlPool, listener: SqlListener, origin: string) {
    this.#pool = pool;
    this.#origin = origin;
    listener.on((payload) => {
      if (payload !== undefined) this.#heard(payload);
      else for (const name of this.#listeners.keys()) this.#wake(name, undefined);
    });
  }

  /** Calls `listener` after each `tell` of this name, here or elsewhere. Returns what ends that. */
  on(name: string, listener: WakeListener): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(name);
    };
  }

  /** Wakes everybody, here at once. Never rejects: whoever is not woken looks by itself, later. */
  tell(name: string, part?: number): void {
    this.#wake(name, part);
    this.#waiting.add(`${this.#origin} ${part ?? '-'} ${name}`);
    this.#sending ??= this.#send();
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    await this.#sending;
  }

  async #send(): Promise<void> {
    while (this.#waiting.size > 0) {
      const words = [...this.#waiting];
      this.#waiting.clear();
      await this.#pool.query(notify, [words]).catch(() => {});
    }
    this.#sending = undefined;
  }

  #heard(payload: string): void {
    const [, origin, part = '-', name] = /^(\S+) (-|\d+) (.+)$/.exec(payload) ?? [];
    if (name !== undefined && origin !== this.#origin)
      this.#wake(name, part === '-' ? undefined : Number(part));
  }

  #wake(name: string, part: number | undefined): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(part);
  }
}
