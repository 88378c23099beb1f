import type { NativeHistogram } from '../promql/native-histogram.ts';

/** Four bounds for each power of two: a quantile is off by the fourth root of two at most. */
const finestScale = 2;
/** Bounds of one histogram, all of which are series of their own. Four for each of forty powers of two. */
const mostBounds = 160;
// Written out, so that a bound has the same text whatever computes it.
const roots = [1, 1.189207115002721, 1.4142135623730951, 1.681792830507429] as const;

/** Indexes of the lowest and the highest bound of a side. */
type Side = readonly [low: number, high: number] | undefined;

/**
 * The bounds by which an exponential histogram is shown in series with `le`. They are on a grid that all histograms have in
 * common, so that instances can be added up, and those of a stream only grow in number, until there are too many: then every
 * other goes.
 */
export interface ExponentialBounds {
  readonly scale: number;
  readonly positive: Side;
  readonly negative: Side;
}

/** Of a histogram that has shown nothing yet. */
export const noBounds: ExponentialBounds = { scale: finestScale, positive: undefined, negative: undefined };

/** With room for all that `histogram` has. */
export function grown(bounds: ExponentialBounds, histogram: NativeHistogram): ExponentialBounds {
  const scale = Math.min(bounds.scale, histogram.schema);
  const { positive, negative } = histogram.reduced(scale);
  let all: ExponentialBounds = {
    scale,
    positive: widened(coarser(bounds.positive, bounds.scale - scale), positive),
    negative: widened(coarser(bounds.negative, bounds.scale - scale), negative),
  };
  while (lengthOf(all.positive) + lengthOf(all.negative) > mostBounds)
    all = { scale: all.scale - 1, positive: coarser(all.positive, 1), negative: coarser(all.negative, 1) };
  return isSame(all, bounds) ? bounds : all;
}

function isSame(a: ExponentialBounds, b: ExponentialBounds): boolean {
  const same = (one: Side, other: Side): boolean => one?.[0] === other?.[0] && one?.[1] === other?.[1];
  return a.scale === b.scale && same(a.positive, b.positive) && same(a.negative, b.negative);
}

function widened(side: Side, buckets: ReadonlyMap<number, number>): Side {
  let [low, high] = side ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const at of buckets.keys()) {
    low = Math.min(low, at - 1);
    high = Math.max(high, at);
  }
  return low < high ? [low, high] : undefined;
}

function coarser(side: Side, by: number): Side {
  return side && [Math.floor(side[0] / 2 ** by), Math.ceil(side[1] / 2 ** by)];
}

function lengthOf(side: Side): number {
  return side === undefined ? 0 : side[1] - side[0] + 1;
}

/** The numbers of observations up to each bound, from the lowest. What is close to zero counts as zero. */
export function cumulated(
  histogram: NativeHistogram,
  bounds: ExponentialBounds,
): readonly (readonly [le: number, count: number])[] {
  const { positive, negative, zeroCount } = histogram.reduced(bounds.scale);
  const found: [number, number][] = [];
  let total = 0;
  const show = (le: number): void => {
    if (le !== 0 && Number.isFinite(le)) found.push([le, total]);
  };
  if (bounds.negative !== undefined) {
    const [low, high] = bounds.negative;
    for (let at = high; at >= low; at--) {
      total += negative.get(at + 1) ?? 0;
      show(-boundOf(at, bounds.scale));
    }
  }
  total += zeroCount;
  found.push([0, total]);
  if (bounds.positive !== undefined) {
    const [low, high] = bounds.positive;
    for (let at = low; at <= high; at++) {
      total += positive.get(at) ?? 0;
      show(boundOf(at, bounds.scale));
    }
  }
  return found;
}

/** Upper bound of the bucket `at` of a scale. */
function boundOf(at: number, scale: number): number {
  const quarters = at * 2 ** (finestScale - scale);
  const octave = Math.floor(quarters / 4);
  return 2 ** octave * (roots[quarters - octave * 4] ?? 1);
}
