import type { Clock } from '@heddle/kernel';

/** What a retry budget allows. */
export interface BudgetOptions {
  /** Retries allowed per call made. Default 0.2. */
  readonly ratio?: number;
  /** Retries allowed per second whatever the number of calls, so that a quiet client may retry at all. Default 10. */
  readonly floorPerSecond?: number;
}

const slices = 10;
const sliceMs = 1000;

/**
 * How many retries may be made, over a window of the last 10 seconds: `ratio` of the calls in it, plus the floor.
 * When an upstream is down, each client then adds at most a fifth to the load instead of tripling it.
 * One budget serves all calls to one target, and is shared by retry and hedge. Source: `RetryBudget` of finagle.
 */
export class RetryBudget {
  readonly #clock: Clock;
  readonly #ratio: number;
  readonly #floor: number;
  /** Calls made and retries taken, by second; a ring. */
  readonly #calls: Float64Array = new Float64Array(slices);
  readonly #retries: Float64Array = new Float64Array(slices);
  #slice: number;

  constructor(clock: Clock, options: BudgetOptions = {}) {
    this.#clock = clock;
    this.#ratio = options.ratio ?? 0.2;
    this.#floor = (options.floorPerSecond ?? 10) * ((slices * sliceMs) / 1000);
    this.#slice = Math.floor(clock.nowMs() / sliceMs);
  }

  /** A call has been made (not a retry of one). `nowMs`: the clock, where the caller has just read it. */
  deposit(nowMs: number = this.#clock.nowMs()): void {
    this.#turn(nowMs);
    const at = this.#slice % slices;
    this.#calls[at] = (this.#calls[at] as number) + 1;
  }

  /** How many whole retries could be taken now. */
  get available(): number {
    this.#turn(this.#clock.nowMs());
    return Math.max(0, Math.floor(this.#ratio * sum(this.#calls) + this.#floor - sum(this.#retries) + 1e-9));
  }

  /** Takes one retry, if there is one. */
  withdraw(): boolean {
    if (this.available < 1) return false;
    const at = this.#slice % slices;
    this.#retries[at] = (this.#retries[at] as number) + 1;
    return true;
  }

  /** Forgets what has left the window. */
  #turn(nowMs: number): void {
    const now = Math.floor(nowMs / sliceMs);
    if (now === this.#slice) return;
    const from = Math.max(this.#slice, now - slices);
    for (let slice = from + 1; slice <= now; slice++) {
      this.#calls[slice % slices] = 0;
      this.#retries[slice % slices] = 0;
    }
    this.#slice = now;
  }
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
