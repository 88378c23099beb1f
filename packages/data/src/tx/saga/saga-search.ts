import { HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import type { SagaKeeper, SagaRow } from './saga-keeper.ts';
import type { AnySaga } from './step.ts';

/** What a search needs. */
export interface SagaSearchOptions {
  readonly runtime: Runtime;
  readonly store: SagaKeeper;
  readonly definitions: readonly AnySaga[];
  readonly pollMs: number;
  readonly leaseMs: number;
  /** How many may be at work here. */
  readonly most: number;
  /** How many more may be. */
  readonly room: () => number;
  /** Ids of those that are known to be this process's. */
  readonly own: () => readonly string[];
  /** It is this process's now. */
  readonly onFound: (row: SagaRow) => void;
}

// What is left by a process that has died is taken over in pieces: others are to have some of it, too.
const mostAtOnce = 500;

/** Looks for sagas that are due, or that another process has left, again and again. */
export class SagaSearch {
  readonly #options: SagaSearchOptions;
  #doubtUntilMs = Number.NEGATIVE_INFINITY;
  #atMs = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;
  #isMoreLeft = false;

  constructor(options: SagaSearchOptions) {
    this.#options = options;
  }

  /** Looks in `delayMs`, or when it would have anyway, if that is sooner. */
  soon(delayMs = 0): void {
    if (this.#stopped) return;
    const { clock, timers } = this.#options.runtime;
    const atMs = clock.nowMs() + Math.min(delayMs, this.#options.pollMs);
    if (atMs >= this.#atMs) return;
    this.#timer?.cancel();
    this.#atMs = atMs;
    this.#timer = timers.after(Math.max(0, atMs - clock.nowMs()), () => {
      this.#atMs = Number.POSITIVE_INFINITY;
      this.#looking = (this.#looking ?? Promise.resolve()).then(() => this.#look());
    });
  }

  /** An answer was lost. The server may still be at it, for as long as a statement may take. */
  doubt(): void {
    this.#doubtUntilMs = this.#options.runtime.clock.nowMs() + 3 * this.#options.leaseMs;
  }

  /** Resolves when it does not look any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  /** One that was at work here has come to rest: there is room for another, if any was left for want of it. */
  freed(): void {
    if (this.#isMoreLeft && this.#hasRoom) this.soon();
  }

  /** Enough for a claim that is worth a statement. */
  get #hasRoom(): boolean {
    const { room, most } = this.#options;
    return room() >= Math.min(mostAtOnce, most) / 2;
  }

  async #look(): Promise<void> {
    const { pollMs, room, onFound, runtime } = this.#options;
    const most = Math.min(mostAtOnce, room());
    const found = most > 0 ? await this.#claim(most) : [];
    for (const row of found) onFound(row);
    this.#isMoreLeft = most <= 0 || found.length === most;
    const now = this.#isMoreLeft && this.#hasRoom;
    this.soon(now ? 0 : pollMs * (0.5 + 0.5 * runtime.random.float()));
  }

  async #claim(most: number): Promise<readonly SagaRow[]> {
    const { definitions, runtime, store } = this.#options;
    try {
      return await store.claim(definitions, Math.floor(runtime.clock.wallMs()), most, this.#atWork());
    } catch (thrown) {
      this.doubt();
      runtime.log('debug', 'sagas cannot be looked for', { error: HeddleError.from(thrown).message });
      return [];
    }
  }

  /** What this process knows to have, while it may have more. */
  #atWork(): readonly string[] | undefined {
    const { runtime, own } = this.#options;
    return runtime.clock.nowMs() > this.#doubtUntilMs ? undefined : own();
  }
}
