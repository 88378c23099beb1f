import type { Call, Expression } from './ast.ts';
import { type Evaluating, isNumber, metricOf, sameLabels, stringOf } from './evaluating.ts';
import { goNumber } from './go-number.ts';
import {
  type ClassicBucket,
  type ClassicQuantile,
  classicFraction,
  classicQuantile,
  nativeFraction,
  nativeQuantile,
  nativeVariance,
} from './histogram-quantile.ts';
import type { Labels } from './labels.ts';
import type { NativeHistogram } from './native-histogram.ts';
import { numberOf } from './literals.ts';
import type { Element } from './source.ts';

const simple: Readonly<Record<string, (histogram: NativeHistogram) => number>> = {
  histogram_count: ({ count }) => count,
  histogram_sum: ({ sum }) => sum,
  histogram_avg: ({ sum, count }) => sum / count,
  histogram_stdvar: nativeVariance,
  histogram_stddev: (histogram) => Math.sqrt(nativeVariance(histogram)),
};

interface Estimate {
  readonly classic: (buckets: readonly ClassicBucket[]) => ClassicQuantile;
  readonly native: (histogram: NativeHistogram) => number;
}

/** A function of histograms, native ones and those in buckets of `le`. */
export function histogramFunction(evaluation: Evaluating, call: Call, timeMs: number): readonly Element[] {
  const { name, args } = call;
  const compute = simple[name];
  if (compute !== undefined)
    return evaluation.vector(args[0] as Expression, timeMs).flatMap(({ labels, value }) => {
      return isNumber(value) ? [] : [{ labels, value: compute(value), dropName: true }];
    });
  const scalar = (at: number): number => evaluation.scalar(args[at] as Expression, timeMs);
  if (name === 'histogram_quantiles') return quantiles(evaluation, call, timeMs);
  const place = args.at(-1) as Expression;
  const histograms = gathered(evaluation, place, evaluation.vector(place, timeMs));
  if (name === 'histogram_fraction') {
    const [lower, upper] = [scalar(0), scalar(1)];
    const estimate: Estimate = {
      classic: (buckets) => classicFraction(lower, upper, buckets),
      native: (histogram) => nativeFraction(lower, upper, histogram),
    };
    return estimated(evaluation, place, histograms, estimate);
  }
  return estimated(
    evaluation,
    place,
    histograms,
    quantileEstimate(evaluation, args[0] as Expression, scalar(0)),
  );
}

function quantileEstimate(evaluation: Evaluating, argument: Expression, quantile: number): Estimate {
  if (!(quantile >= 0 && quantile <= 1))
    evaluation.notes.warn(
      `quantile value should be between 0 and 1, got ${goNumber(quantile)}`,
      argument.from,
    );
  return {
    classic: (buckets) => classicQuantile(quantile, buckets),
    native: (histogram) => nativeQuantile(quantile, histogram),
  };
}

/** Several quantiles at once, told apart by a label. */
function quantiles(evaluation: Evaluating, { args }: Call, timeMs: number): readonly Element[] {
  const [place, label, ...wanted] = args as [Expression, Expression, ...Expression[]];
  const name = stringOf(evaluation, label, timeMs);
  const histograms = gathered(evaluation, place, evaluation.vector(place, timeMs));
  return wanted.flatMap((argument) => {
    const quantile = evaluation.scalar(argument, timeMs);
    const estimate = quantileEstimate(evaluation, argument, quantile);
    return estimated(evaluation, place, histograms, estimate).map((element) => ({
      ...element,
      labels: element.labels.with(name, decimal(quantile)),
    }));
  });
}

/** OpenMetrics' way to write a number: never without a dot. */
function decimal(value: number): string {
  const text = goNumber(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

interface Gathered {
  readonly labels: Labels;
  readonly buckets: ClassicBucket[];
  native: NativeHistogram | undefined;
}

const withoutBound = new Set(['le']);

/** The buckets of each histogram together. */
function gathered(
  evaluation: Evaluating,
  place: Expression,
  elements: readonly Element[],
): readonly Gathered[] {
  const histograms = new Map<string, Gathered>();
  const of = (labels: Labels): Gathered => {
    const known = histograms.get(labels.key) ?? { labels, buckets: [], native: undefined };
    histograms.set(labels.key, known);
    return known;
  };
  for (const { labels, value } of elements) {
    if (!isNumber(value)) {
      const histogram = of(labels);
      if (histogram.native !== undefined) throw sameLabels();
      histogram.native = value;
      continue;
    }
    const le = labels.get('le');
    const upper = boundOf(le);
    if (upper !== undefined) of(labels.without(withoutBound)).buckets.push({ upper, count: value });
    else {
      const what = `bucket label "le" is missing or has a malformed value of "${le}"`;
      evaluation.notes.warn(`${what} for metric name "${metricOf(labels)}"`, place.from);
    }
  }
  return [...histograms.values()];
}

function boundOf(text: string): number | undefined {
  if (/^[+-]?(inf|nan)$/i.test(text)) return numberOf(text);
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

function estimated(
  evaluation: Evaluating,
  place: Expression,
  histograms: readonly Gathered[],
  { classic, native }: Estimate,
): readonly Element[] {
  return histograms.flatMap((histogram): Element[] => {
    const { labels, buckets } = histogram;
    if (histogram.native !== undefined && buckets.length > 0) {
      const what = 'vector contains a mix of classic and native histograms for metric name';
      evaluation.notes.warn(`${what} "${metricOf(labels)}"`, place.from);
      return [];
    }
    if (histogram.native !== undefined) return [{ labels, value: native(histogram.native), dropName: true }];
    const { value, forced } = classic(buckets);
    if (forced) {
      const what =
        'input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) for metric name';
      evaluation.notes.info(`${what} "${metricOf(labels)}"`, place.from);
    }
    return [{ labels, value, dropName: true }];
  });
}
