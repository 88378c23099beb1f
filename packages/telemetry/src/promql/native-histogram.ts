/** Whether a counter was reset before this value; gauges are never. */
export type ResetHint = 'unknown' | 'reset' | 'not_reset' | 'gauge';

/** The schema of histograms whose bounds are given one by one. */
export const customSchema = -53;

/** What a native histogram is made from. */
export interface NativeHistogramInit {
  readonly schema?: number;
  readonly count?: number;
  readonly sum?: number;
  readonly zeroThreshold?: number;
  readonly zeroCount?: number;
  /** By the index of the bucket. */
  readonly positive?: ReadonlyMap<number, number>;
  readonly negative?: ReadonlyMap<number, number>;
  /** Upper bounds, with `customSchema`. */
  readonly bounds?: readonly number[];
  readonly hint?: ResetHint;
}

/** Observations between two bounds. */
export interface Bucket {
  readonly lower: number;
  readonly upper: number;
  readonly count: number;
}

const none: ReadonlyMap<number, number> = new Map();

/** A native histogram of Prometheus, with counts that may be fractions, as they are in the middle of a computation. */
export class NativeHistogram {
  readonly schema: number;
  readonly count: number;
  readonly sum: number;
  readonly zeroThreshold: number;
  readonly zeroCount: number;
  readonly positive: ReadonlyMap<number, number>;
  readonly negative: ReadonlyMap<number, number>;
  readonly bounds: readonly number[];
  readonly hint: ResetHint;

  constructor(init: NativeHistogramInit) {
    this.schema = init.schema ?? 0;
    this.count = init.count ?? 0;
    this.sum = init.sum ?? 0;
    this.zeroThreshold = init.zeroThreshold ?? 0;
    this.zeroCount = init.zeroCount ?? 0;
    this.positive = init.positive ?? none;
    this.negative = init.negative ?? none;
    this.bounds = init.bounds ?? [];
    this.hint = init.hint ?? 'unknown';
  }

  #with(change: NativeHistogramInit): NativeHistogram {
    const { schema, count, sum, zeroThreshold, zeroCount, positive, negative, bounds, hint } = this;
    return new NativeHistogram({
      schema,
      count,
      sum,
      zeroThreshold,
      zeroCount,
      positive,
      negative,
      bounds,
      hint,
      ...change,
    });
  }

  get custom(): boolean {
    return this.schema === customSchema;
  }

  withHint(hint: ResetHint): NativeHistogram {
    return hint === this.hint ? this : this.#with({ hint });
  }

  scaled(factor: number): NativeHistogram {
    return this.#mapped((value) => value * factor, factor < 0 ? 'gauge' : this.hint);
  }

  divided(by: number): NativeHistogram {
    const plain = this.#mapped((value) => value / by, by < 0 ? 'gauge' : this.hint);
    return by === 0 ? plain.#with({ positive: none, negative: none }) : plain;
  }

  #mapped(change: (value: number) => number, hint: ResetHint): NativeHistogram {
    const all = (buckets: ReadonlyMap<number, number>): Map<number, number> =>
      new Map([...buckets].map(([at, count]) => [at, change(count)]));
    return this.#with({
      count: change(this.count),
      sum: change(this.sum),
      zeroCount: change(this.zeroCount),
      positive: all(this.positive),
      negative: all(this.negative),
      hint,
    });
  }

  /** The sum of both, in the coarser of the two resolutions; undefined if one has custom bounds and the other not. */
  plus(other: NativeHistogram): NativeHistogram | undefined {
    return this.#joined(other, 1, joinedHint(this.hint, other.hint));
  }

  /** As `plus`; what comes out is a gauge. */
  minus(other: NativeHistogram): NativeHistogram | undefined {
    return this.#joined(other, -1, 'gauge');
  }

  #joined(other: NativeHistogram, sign: 1 | -1, hint: ResetHint): NativeHistogram | undefined {
    if (this.custom !== other.custom) return undefined;
    if (this.custom) return this.#joinedCustom(other, sign, hint);
    const schema = Math.min(this.schema, other.schema);
    const zeroThreshold = commonZeroThreshold(this, other);
    const a = this.#widened(zeroThreshold).reduced(schema);
    const b = other.#widened(zeroThreshold).reduced(schema);
    return new NativeHistogram({
      schema,
      zeroThreshold,
      zeroCount: a.zeroCount + sign * b.zeroCount,
      count: this.count + sign * other.count,
      sum: this.sum + sign * other.sum,
      positive: joined(a.positive, b.positive, sign),
      negative: joined(a.negative, b.negative, sign),
      hint,
    });
  }

  #joinedCustom(other: NativeHistogram, sign: 1 | -1, hint: ResetHint): NativeHistogram {
    const same = sameBounds(this.bounds, other.bounds);
    const known = new Set(other.bounds);
    const bounds = same ? this.bounds : this.bounds.filter((bound) => known.has(bound));
    const a = same ? this : this.rebounded(bounds);
    const b = same ? other : other.rebounded(bounds);
    return new NativeHistogram({
      schema: customSchema,
      bounds,
      count: this.count + sign * other.count,
      sum: this.sum + sign * other.sum,
      positive: joined(a.positive, b.positive, sign),
      hint,
    });
  }

  /** With a subset of its custom bounds: what lay between two of them is counted below the next that is left. */
  rebounded(bounds: readonly number[]): NativeHistogram {
    const positive = new Map<number, number>();
    for (const [at, count] of this.positive) {
      const upper = this.bounds[at] ?? Number.POSITIVE_INFINITY;
      const found = bounds.findIndex((bound) => bound >= upper);
      const to = found < 0 ? bounds.length : found;
      positive.set(to, (positive.get(to) ?? 0) + count);
    }
    return this.#with({ bounds, positive });
  }

  /** In a coarser resolution. */
  reduced(schema: number): NativeHistogram {
    if (schema >= this.schema || this.custom) return this;
    const shift = this.schema - schema;
    const merge = (buckets: ReadonlyMap<number, number>): Map<number, number> => {
      const merged = new Map<number, number>();
      for (const [at, count] of buckets) {
        const to = ((at - 1) >> shift) + 1;
        merged.set(to, (merged.get(to) ?? 0) + count);
      }
      return merged;
    };
    return this.#with({
      schema,
      positive: merge(this.positive),
      negative: merge(this.negative),
    });
  }

  /** With a wider bucket around zero, which takes in those that lie within. */
  #widened(threshold: number): NativeHistogram {
    if (threshold <= this.zeroThreshold) return this;
    let zeroCount = this.zeroCount;
    const outside = (buckets: ReadonlyMap<number, number>): Map<number, number> => {
      const kept = new Map<number, number>();
      for (const [at, count] of buckets) {
        if (this.#bound(at) <= threshold) zeroCount += count;
        else kept.set(at, count);
      }
      return kept;
    };
    const positive = outside(this.positive);
    const negative = outside(this.negative);
    return this.#with({ zeroThreshold: threshold, zeroCount, positive, negative });
  }

  /** Upper bound of a bucket on the positive side. */
  #bound(at: number): number {
    if (this.custom) return this.bounds[at] ?? Number.POSITIVE_INFINITY;
    return 2 ** (at * 2 ** -this.schema);
  }

  /** All buckets from the lowest to the highest, empty ones left out. */
  get buckets(): readonly Bucket[] {
    const ascending = (buckets: ReadonlyMap<number, number>): [number, number][] =>
      [...buckets].filter(([, count]) => count !== 0).toSorted(([a], [b]) => a - b);
    if (this.custom)
      return ascending(this.positive).map(([at, count]) => {
        const lower = at === 0 ? Number.NEGATIVE_INFINITY : (this.bounds[at - 1] as number);
        return { lower, upper: this.#bound(at), count };
      });
    const negative = ascending(this.negative)
      .toReversed()
      .map(([at, count]) => ({ lower: -this.#bound(at), upper: -this.#bound(at - 1), count }));
    const positive = ascending(this.positive).map(([at, count]) => {
      return { lower: this.#bound(at - 1), upper: this.#bound(at), count };
    });
    const { zeroCount, zeroThreshold } = this;
    const zero = zeroCount === 0 ? [] : [{ lower: -zeroThreshold, upper: zeroThreshold, count: zeroCount }];
    return [...negative, ...zero, ...positive];
  }

  /** Whether a counter was reset between `previous` and this. */
  isResetAfter(previous: NativeHistogram): boolean {
    if (this.hint === 'reset') return true;
    if (this.hint === 'not_reset' || this.hint === 'gauge') return false;
    if (this.count < previous.count || this.custom !== previous.custom) return true;
    if (this.custom) {
      if (!sameBounds(this.bounds, previous.bounds)) {
        const known = new Set(previous.bounds);
        const common = this.bounds.filter((bound) => known.has(bound));
        return fell(this.rebounded(common).positive, previous.rebounded(common).positive);
      }
      return fell(this.positive, previous.positive);
    }
    if (this.schema > previous.schema || this.zeroThreshold < previous.zeroThreshold) return true;
    const before = previous.#widened(this.zeroThreshold).reduced(this.schema);
    if (this.zeroCount < before.zeroCount) return true;
    return fell(this.positive, before.positive) || fell(this.negative, before.negative);
  }

  /** Whether the two say the same, hints aside. */
  equals(other: NativeHistogram): boolean {
    const same = (a: number, b: number): boolean => Object.is(a, b) || a === b;
    return (
      this.schema === other.schema &&
      same(this.count, other.count) &&
      same(this.sum, other.sum) &&
      this.zeroThreshold === other.zeroThreshold &&
      same(this.zeroCount, other.zeroCount) &&
      sameBounds(this.bounds, other.bounds) &&
      !fell(this.positive, other.positive) &&
      !fell(other.positive, this.positive) &&
      !fell(this.negative, other.negative) &&
      !fell(other.negative, this.negative)
    );
  }
}

function joinedHint(a: ResetHint, b: ResetHint): ResetHint {
  return a === b ? a : a === 'gauge' || b === 'gauge' ? 'gauge' : 'unknown';
}

/** Wide enough for both, and at the edge of a bucket of both. */
function commonZeroThreshold(a: NativeHistogram, b: NativeHistogram): number {
  let threshold = Math.max(a.zeroThreshold, b.zeroThreshold);
  for (const { schema, positive, negative } of [a, b])
    for (const at of [...positive.keys(), ...negative.keys()]) {
      const lower = 2 ** ((at - 1) * 2 ** -schema);
      const upper = 2 ** (at * 2 ** -schema);
      if (lower < threshold && upper > threshold) threshold = upper;
    }
  return threshold;
}

function joined(
  a: ReadonlyMap<number, number>,
  b: ReadonlyMap<number, number>,
  sign: 1 | -1,
): ReadonlyMap<number, number> {
  const sum = new Map(a);
  for (const [at, count] of b) sum.set(at, (sum.get(at) ?? 0) + sign * count);
  return sum;
}

/** Whether some bucket of `now` has less than in `before`. */
function fell(now: ReadonlyMap<number, number>, before: ReadonlyMap<number, number>): boolean {
  for (const [at, count] of before) if ((now.get(at) ?? 0) < count) return true;
  return false;
}

/** Whether two lists of bounds are the same. */
export function sameBounds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((bound, at) => bound === b[at]);
}
