/** Each bucket is so much wider than the one before it: what a percentile may be off by. */
const growth = 1.05;
const smallestMs = 0.1;
const buckets = 320;

/** Latencies in buckets of constant relative width, 0.1 ms to about ten minutes: percentiles to 5 % in a fixed space. */
export class Latencies {
  readonly #counts = new Float64Array(buckets);
  #count = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  record(ms: number): void {
    const bucket = Math.ceil(Math.log(Math.max(ms, smallestMs) / smallestMs) / Math.log(growth));
    const at = Math.min(bucket, buckets - 1);
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.#count += 1;
    this.#maxMs = Math.max(this.#maxMs, ms);
  }

  /** The latency that `percent` of all stay at or below; 0 when there are none. Never above the largest seen. */
  percentileMs(percent: number): number {
    const rank = Math.ceil((percent / 100) * this.#count);
    let seen = 0;
    for (let at = 0; at < buckets && rank > 0; at += 1) {
      seen += this.#counts[at] as number;
      if (seen >= rank) return Math.min(this.#maxMs, smallestMs * growth ** at);
    }
    return this.#maxMs;
  }
}
