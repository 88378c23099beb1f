const first = 16;

/** The samples of one series by time, in two typed arrays that grow at the end and are cut at the begin. */
export class SampleColumn {
  #times = new Float64Array(first);
  #values = new Float64Array(first);
  /** Where the series ended; mostly there is no such place. */
  #ends: Set<number> | undefined;
  #from = 0;
  #to = 0;

  get size(): number {
    return this.#to - this.#from;
  }

  /** False: there is one of that time or a later one. `undefined` ends the series. */
  append(timeMs: number, value: number | undefined): boolean {
    if (this.size > 0 && timeMs <= (this.#times[this.#to - 1] as number)) return false;
    if (this.#to === this.#times.length) this.#makeRoom();
    this.#times[this.#to] = timeMs;
    this.#values[this.#to] = value ?? Number.NaN;
    if (value === undefined) (this.#ends ??= new Set()).add(timeMs);
    this.#to++;
    return true;
  }

  /** Forgets samples up to `timeMs`. */
  dropUntil(timeMs: number): void {
    while (this.#from < this.#to && (this.#times[this.#from] as number) <= timeMs) {
      this.#ends?.delete(this.#times[this.#from] as number);
      this.#from++;
    }
  }

  /** Those after `fromMs` and up to `toMs`. */
  between(
    fromMs: number,
    toMs: number,
  ): { readonly times: ArrayLike<number>; readonly values: ArrayLike<number | undefined> } {
    const start = this.#after(fromMs);
    const end = this.#after(toMs);
    const times = this.#times.subarray(start, end);
    const values = this.#values.subarray(start, end);
    const ends = this.#ends;
    if (ends === undefined || ends.size === 0) return { times, values };
    return {
      times,
      values: Array.from(values, (value, at) => (ends.has(times[at] as number) ? undefined : value)),
    };
  }

  #after(timeMs: number): number {
    let low = this.#from;
    let high = this.#to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#times[middle] as number) <= timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Moves to the begin what is left, or to larger arrays. A query that is at work keeps the arrays that it has. */
  #makeRoom(): void {
    const length = Math.max(first, this.size * 2);
    const times = new Float64Array(length);
    const values = new Float64Array(length);
    times.set(this.#times.subarray(this.#from, this.#to));
    values.set(this.#values.subarray(this.#from, this.#to));
    this.#to = this.size;
    this.#from = 0;
    this.#times = times;
    this.#values = values;
  }
}
