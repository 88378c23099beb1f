import { HeddleError, type Runtime } from '@heddle/kernel';

/** What has come of changes that are passed on as well as it goes. */
export interface WeakCounts {
  /** Passed on. */
  readonly done: number;
  /** Tried once, in vain. */
  readonly failed: number;
  /** Not tried, since too many waited already. */
  readonly dropped: number;
}

/** Work that is done in order, once, and not waited for: so much of it may wait, the rest is dropped and counted. */
export class WeakQueue {
  readonly #runtime: Runtime;
  readonly #most: number;
  readonly #waiting: (() => Promise<unknown>)[] = [];
  readonly #counts = { done: 0, failed: 0, dropped: 0 };
  #working: Promise<void> | undefined;

  constructor(runtime: Runtime, most: number) {
    this.#runtime = runtime;
    this.#most = most;
  }

  get counts(): WeakCounts {
    return { ...this.#counts };
  }

  add(work: () => Promise<unknown>): void {
    if (this.#waiting.length >= this.#most) {
      this.#counts.dropped += 1;
      return;
    }
    this.#waiting.push(work);
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    while (this.#working !== undefined) await this.#working;
  }

  async #work(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
      try {
        await next();
        this.#counts.done += 1;
      } catch (thrown) {
        this.#counts.failed += 1;
        const { reason, message } = HeddleError.from(thrown);
        this.#runtime.log('debug', 'a change is not passed on', { reason, error: message });
      }
  }
}
