import { customSchema, NativeHistogram } from '../promql/native-histogram.ts';
import type { DataPoint } from './metric-data.ts';

/** What a point of a histogram says: its buckets, or why they cannot be read. */
export type HistogramData = Pick<DataPoint, 'histogram' | 'unreadable'>;

/** A histogram of bounds that are given one by one, which has one bucket more than bounds, or none at all. */
export function explicitData(bounds: readonly number[], counts: readonly number[]): HistogramData {
  // Without any buckets there are only the count and the sum.
  if (counts.length !== bounds.length + 1 && counts.length + bounds.length > 0) {
    const found = `${counts.length} buckets with ${bounds.length} bounds`;
    return { unreadable: `${found}; expected one bucket more than bounds` };
  }
  if (!bounds.every((bound, at) => bound > (bounds[at - 1] ?? Number.NEGATIVE_INFINITY)))
    return { unreadable: 'bounds of buckets that do not ascend' };
  if (!counts.every(isCount)) return { unreadable: noCount };
  return { histogram: new NativeHistogram({ schema: customSchema, bounds, positive: filled(counts, 0) }) };
}

/** The buckets of an exponential histogram on one side of zero: the first of `counts` is at `offset`. */
export interface ExponentialSide {
  readonly offset: number;
  readonly counts: readonly number[];
}

/** A side on which there is nothing. */
export const noBuckets: ExponentialSide = { offset: 0, counts: [] };

/** An exponential histogram, under the names of OpenTelemetry's data model. */
export interface ExponentialBuckets {
  readonly scale: number;
  readonly zeroCount: number;
  readonly zeroThreshold: number;
  readonly positive: ExponentialSide;
  readonly negative: ExponentialSide;
}

// Those of OpenTelemetry's data model, and as many buckets as any of its SDKs would ever make.
const [lowestScale, highestScale, mostBuckets] = [-10, 20, 4096];

/** A histogram whose bounds are powers of one base. */
export function exponentialData(buckets: ExponentialBuckets): HistogramData {
  const { scale, zeroCount, zeroThreshold } = buckets;
  const sides = [buckets.positive, buckets.negative];
  const most = Math.max(...sides.map(({ counts }) => counts.length));
  if (most > mostBuckets) return { unreadable: `${most} buckets; expected at most ${mostBuckets}` };
  if (!sides.every(({ offset, counts }) => Number.isInteger(offset) && counts.every(isCount)))
    return { unreadable: noCount };
  if (!Number.isInteger(scale) || scale < lowestScale || scale > highestScale)
    return { unreadable: `scale ${scale}; expected ${lowestScale} to ${highestScale}` };
  // By the index of their upper bound, as Prometheus counts: one more than OpenTelemetry's, which is that of the lower one.
  const [positive, negative] = sides.map(({ offset, counts }) => filled(counts, offset + 1));
  for (const side of [positive, negative])
    if (side !== undefined && !isWithinDoubles(side, scale))
      return { unreadable: 'buckets beyond the range of numbers' };
  return {
    histogram: new NativeHistogram({
      schema: scale,
      zeroCount,
      zeroThreshold,
      ...(positive && { positive }),
      ...(negative && { negative }),
    }),
  };
}

/** What is said of a bucket with something else than `isCount`. */
export const noCount = 'a count that is no whole number';

/** Whether it can be how many there were. */
export function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

/** The buckets with something in them, by their index. */
function filled(counts: readonly number[], first: number): Map<number, number> {
  const buckets = new Map<number, number>();
  counts.forEach((count, at) => {
    if (count !== 0) buckets.set(first + at, count);
  });
  return buckets;
}

/** Whether all bounds are numbers of 64 bits, the smallest of which is 2 to the power of -1074. */
function isWithinDoubles(buckets: ReadonlyMap<number, number>, scale: number): boolean {
  for (const at of buckets.keys()) {
    const exponent = at * 2 ** -scale;
    if (exponent <= -1075 || (at - 1) * 2 ** -scale >= 1024) return false;
  }
  return true;
}
