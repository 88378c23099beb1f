/** A number that only grows. A handle: keep it, and an update costs a few nanoseconds. */
export class Counter {
  #value = 0;

  get value(): number {
    return this.#value;
  }

  /** Adds `by`, default 1. Negative and non-finite amounts are dropped, since a counter that falls reads as a restart. */
  inc(by = 1): void {
    if (by >= 0 && by !== Number.POSITIVE_INFINITY) this.#value += by;
  }

  /** For readings of a counter kept elsewhere (CPU time): takes the new total, if it is not less than the last. */
  advanceTo(total: number): void {
    if (total > this.#value && total !== Number.POSITIVE_INFINITY) this.#value = total;
  }
}
