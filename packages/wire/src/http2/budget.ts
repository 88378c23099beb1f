import type { Clock } from '@heddle/kernel';

/** So many at once, and so many a second in the long run: a token bucket. */
export class Budget {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #perSecond: number;
  #left: number;
  #countedMs: number;

  constructor(clock: Clock, burst: number, perSecond: number) {
    this.#clock = clock;
    this.#burst = burst;
    this.#perSecond = perSecond;
    this.#left = burst;
    this.#countedMs = clock.nowMs();
  }

  /** Takes `cost` of it. False when that is more than there is. */
  take(cost: number): boolean {
    const nowMs = this.#clock.nowMs();
    const gained = ((nowMs - this.#countedMs) / 1000) * this.#perSecond;
    this.#countedMs = nowMs;
    this.#left = Math.min(this.#burst, this.#left + gained) - cost;
    return this.#left >= 0;
  }

  /** Earned otherwise than by waiting. */
  give(amount: number): void {
    if (this.#left < this.#burst) this.#left += amount;
  }
}
