import type { Bucket, NativeHistogram } from './native-histogram.ts';

/** A bucket of a classic histogram: how many were observed up to a bound. */
export interface ClassicBucket {
  readonly upper: number;
  readonly count: number;
}

/** A quantile, and whether the buckets had to be made monotonic for it. */
export interface ClassicQuantile {
  readonly value: number;
  readonly forced: boolean;
}

/** Sorted, those of one bound added up, and never falling. */
function cleaned(given: readonly ClassicBucket[]): {
  readonly buckets: ClassicBucket[];
  readonly forced: boolean;
} {
  const buckets: { upper: number; count: number }[] = [];
  for (const { upper, count } of given.toSorted((a, b) => a.upper - b.upper)) {
    const last = buckets.at(-1);
    if (last?.upper === upper) last.count += count;
    else buckets.push({ upper, count });
  }
  let forced = false;
  let most = buckets[0]?.count ?? 0;
  for (const bucket of buckets) {
    if (bucket.count < most) {
      // What differs by no more than rounding is nobody's mistake.
      if (Math.abs(most - bucket.count) > 1e-12 * (Math.abs(most) + Math.abs(bucket.count))) forced = true;
      bucket.count = most;
    }
    most = bucket.count;
  }
  return { buckets, forced };
}

/** Prometheus' estimate of a quantile out of classic buckets: between two bounds as if all were spread evenly. */
export function classicQuantile(quantile: number, given: readonly ClassicBucket[]): ClassicQuantile {
  if (Number.isNaN(quantile)) return { value: Number.NaN, forced: false };
  if (quantile < 0) return { value: Number.NEGATIVE_INFINITY, forced: false };
  if (quantile > 1) return { value: Number.POSITIVE_INFINITY, forced: false };
  const { buckets, forced } = cleaned(given);
  const last = buckets.at(-1);
  if (
    last?.upper !== Number.POSITIVE_INFINITY ||
    buckets.length < 2 ||
    last.count === 0 ||
    Number.isNaN(last.count)
  )
    return { value: Number.NaN, forced: false };
  const rank = quantile * last.count;
  const found = buckets.slice(0, -1).findIndex(({ count }) => count >= rank);
  const at = found < 0 ? buckets.length - 1 : found;
  if (at === buckets.length - 1) return { value: (buckets.at(-2) as ClassicBucket).upper, forced };
  const bucket = buckets[at] as ClassicBucket;
  if (at === 0 && bucket.upper <= 0) return { value: bucket.upper, forced };
  const before = at === 0 ? { upper: 0, count: 0 } : (buckets[at - 1] as ClassicBucket);
  const share = (rank - before.count) / (bucket.count - before.count);
  return { value: before.upper + (bucket.upper - before.upper) * share, forced };
}

/** The share of a classic histogram's observations between two values. */
export function classicFraction(
  lower: number,
  upper: number,
  given: readonly ClassicBucket[],
): ClassicQuantile {
  const { buckets, forced } = cleaned(given);
  const last = buckets.at(-1);
  if (
    last === undefined ||
    last.upper !== Number.POSITIVE_INFINITY ||
    Number.isNaN(lower) ||
    Number.isNaN(upper)
  )
    return { value: Number.NaN, forced: false };
  if (last.count === 0 || Number.isNaN(last.count)) return { value: Number.NaN, forced: false };
  if (lower >= upper) return { value: 0, forced };
  const rank = (value: number): number => {
    if (value === Number.NEGATIVE_INFINITY) return 0;
    for (let at = 0; at < buckets.length; at++) {
      const bucket = buckets[at] as ClassicBucket;
      const before = at === 0 ? 0 : (buckets[at - 1] as ClassicBucket).count;
      const start =
        at > 0 ? (buckets[at - 1] as ClassicBucket).upper : bucket.upper > 0 ? 0 : Number.NEGATIVE_INFINITY;
      if (
        value > bucket.upper ||
        (value === bucket.upper && value !== Number.POSITIVE_INFINITY && at < buckets.length - 1)
      )
        continue;
      if (value <= start) return before;
      if (bucket.upper === Number.POSITIVE_INFINITY) return value === bucket.upper ? bucket.count : before;
      // Where in a bucket without a lower bound they lie is not known: they count as lying below.
      if (start === Number.NEGATIVE_INFINITY) return bucket.count;
      return before + ((bucket.count - before) * (value - start)) / (bucket.upper - start);
    }
    return last.count;
  };
  return { value: (rank(upper) - rank(lower)) / last.count, forced };
}

/** A quantile of a native histogram. Between the bounds of an exponential bucket the observations lie exponentially. */
export function nativeQuantile(quantile: number, histogram: NativeHistogram): number {
  if (Number.isNaN(quantile)) return Number.NaN;
  if (quantile < 0) return Number.NEGATIVE_INFINITY;
  if (quantile > 1) return Number.POSITIVE_INFINITY;
  const { count } = histogram;
  if (count === 0) return Number.NaN;
  const buckets = histogram.buckets.map((bucket) => bounded(bucket, histogram));
  // Observations of NaN are in no bucket: a histogram with a sum of NaN may have some.
  const inBuckets = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  const rank = quantile * count;
  if (rank > inBuckets * (1 + 1e-9) && Number.isNaN(histogram.sum)) return Number.NaN;
  let below = 0;
  let found: Bucket | undefined;
  for (const bucket of buckets) {
    found = bucket;
    if (below + bucket.count >= rank) break;
    below += bucket.count;
  }
  if (found === undefined) return Number.NaN;
  if (below + found.count < rank) below = Math.min(below, rank - found.count);
  if (found.upper === Number.POSITIVE_INFINITY) return found.lower;
  if (found.lower === Number.NEGATIVE_INFINITY) return found.upper;
  const share = Math.max(0, Math.min(1, (rank - below) / found.count));
  return between(found, share, histogram);
}

/** The bucket around zero reaches only to where observations are. The first custom bucket begins at zero if it can. */
function bounded(bucket: Bucket, histogram: NativeHistogram): Bucket {
  if (histogram.custom)
    return bucket.lower === Number.NEGATIVE_INFINITY && bucket.upper > 0 ? { ...bucket, lower: 0 } : bucket;
  if (bucket.lower <= 0 && bucket.upper >= 0 && bucket.lower === -bucket.upper) {
    const hasNegative = [...histogram.negative.values()].some((each) => each !== 0);
    const hasPositive = [...histogram.positive.values()].some((each) => each !== 0);
    if (hasPositive && !hasNegative) return { ...bucket, lower: 0 };
    if (hasNegative && !hasPositive) return { ...bucket, upper: 0 };
  }
  return bucket;
}

function between({ lower, upper }: Bucket, share: number, histogram: NativeHistogram): number {
  const isZero = lower <= 0 && upper >= 0;
  if (histogram.custom || isZero) return lower + (upper - lower) * share;
  const low = Math.log2(Math.abs(lower));
  const high = Math.log2(Math.abs(upper));
  if (lower > 0) return 2 ** (low + (high - low) * share);
  return -(2 ** (high + (low - high) * (1 - share)));
}

/** The share of a native histogram's observations between two values. */
export function nativeFraction(lower: number, upper: number, histogram: NativeHistogram): number {
  if (histogram.count === 0 || Number.isNaN(lower) || Number.isNaN(upper)) return Number.NaN;
  if (lower >= upper) return 0;
  const buckets = histogram.buckets.map((bucket) => bounded(bucket, histogram));
  const inBuckets = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  const rank = (value: number): number => {
    let below = 0;
    for (const bucket of buckets) {
      if (value >= bucket.upper) {
        below += bucket.count;
        continue;
      }
      if (value > bucket.lower) below += bucket.count * shareBelow(bucket, value, histogram);
      return below;
    }
    return below;
  };
  const total = Number.isNaN(histogram.sum) ? histogram.count : Math.max(histogram.count, inBuckets);
  const at = (value: number): number =>
    value === Number.POSITIVE_INFINITY && !Number.isNaN(histogram.sum) ? total : rank(value);
  return (at(upper) - at(lower)) / total;
}

function shareBelow({ lower, upper }: Bucket, value: number, histogram: NativeHistogram): number {
  if (lower === Number.NEGATIVE_INFINITY) return 1;
  if (upper === Number.POSITIVE_INFINITY) return 0;
  if (histogram.custom || (lower <= 0 && upper >= 0)) return (value - lower) / (upper - lower);
  const [low, high, at] = [lower, upper, value].map((each) => Math.log2(Math.abs(each))) as [
    number,
    number,
    number,
  ];
  return lower > 0 ? (at - low) / (high - low) : 1 - (at - high) / (low - high);
}

/** The mean of the squares of the distances from the mean, each observation taken to lie in the middle of its bucket. */
export function nativeVariance(histogram: NativeHistogram): number {
  const mean = histogram.sum / histogram.count;
  let total = 0;
  for (const { lower, upper, count } of histogram.buckets) {
    const low = lower === Number.NEGATIVE_INFINITY && histogram.custom && upper > 0 ? 0 : lower;
    let middle: number;
    if (!Number.isFinite(low) || !Number.isFinite(upper)) middle = Number.isFinite(low) ? low : upper;
    else if (histogram.custom) middle = (low + upper) / 2;
    else if (low <= 0 && upper >= 0) middle = 0;
    else middle = Math.sign(upper) * Math.sqrt(low * upper) || -Math.sqrt(low * upper);
    total += count * (middle - mean) ** 2;
  }
  return total / histogram.count;
}
