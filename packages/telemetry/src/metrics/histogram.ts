/**
 * Upper bounds in seconds for durations: fine enough around a millisecond for calls within one data centre, and up
 * to 10 s. A quantile read from it is off by no more than the bucket it falls into.
 */
export const durationBuckets: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** A value that was observed, and the trace in which. */
export interface Exemplar {
  readonly value: number;
  readonly traceId: string;
  readonly spanId: string;
  /** Milliseconds since 1970. */
  readonly wallMs: number;
}

/** A distribution in fixed buckets. One typed array per series, no allocation per observation. */
export class Histogram {
  readonly bounds: Float64Array;
  // One per bound and one beyond the last, not cumulative, so that an observation touches one of them; then the sum,
  // since a fractional number in a typed array is written in place where a field would be boxed anew.
  readonly #cells: Float64Array;
  /** By bucket: the newest. */
  #exemplars: (Exemplar | undefined)[] | undefined;

  /** `bounds` ascending. */
  constructor(bounds: Float64Array) {
    this.bounds = bounds;
    this.#cells = new Float64Array(bounds.length + 2);
  }

  /** Counts one value (a bound belongs to the bucket below it). NaN is dropped. */
  observe(value: number): void {
    if (Number.isNaN(value)) return;
    const { bounds } = this;
    // Durations cluster in the low buckets, where a linear search is predicted well and beats a binary one.
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at++;
    const cells = this.#cells;
    cells[at] = (cells[at] as number) + 1;
    cells[bounds.length + 1] = (cells[bounds.length + 1] as number) + value;
  }

  /** Says in which trace a value was observed that has been counted by `observe`. */
  exemplify(exemplar: Exemplar): void {
    let at = 0;
    while (at < this.bounds.length && exemplar.value > (this.bounds[at] as number)) at++;
    (this.#exemplars ??= [])[at] = exemplar;
  }

  /** The newest exemplar of a bucket. */
  exemplarOf(bucket: number): Exemplar | undefined {
    return this.#exemplars?.[bucket];
  }

  /** The sum of all observed values. */
  get sum(): number {
    return this.#cells[this.bounds.length + 1] as number;
  }

  /** How many were observed in each bucket, the last being beyond the highest bound. */
  get counts(): Readonly<Float64Array> {
    return this.#cells.subarray(0, this.bounds.length + 1);
  }
}
