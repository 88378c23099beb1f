import type { Call } from './ast.ts';
import { goNumber } from './go-number.ts';
import { noteBounds } from './binary.ts';
import { type Evaluating, isNumber, metricOf } from './evaluating.ts';
import { changeOver, lastChange, resetsIn } from './counter-change.ts';
import { Labels } from './labels.ts';
import type { NativeHistogram } from './native-histogram.ts';
import { matrixPlace, type RangeContext, type Window } from './range-context.ts';
import { PreciseSum, preciseMean, quantileOf, variance } from './precise-sum.ts';
import type { Element, Matcher, Point, Value } from './source.ts';

type RangeFunction = (points: readonly Point[], context: RangeContext) => Value | undefined;

// Functions that say something about the samples themselves leave the name on.
const keepsName = new Set(['last_over_time', 'first_over_time']);

/** A function over a range at a moment. */
export function overTime(
  evaluation: Evaluating,
  call: Call,
  window: Window,
  timeMs: number,
): readonly Element[] {
  const { name, args } = call;
  if (name === 'absent_over_time') return absentOverTime(window);
  const compute = functions[name];
  if (compute === undefined) throw new Error(`there is no function ${name} over a range`);
  const scalars = args.filter(({ type }) => type === 'scalar').map((arg) => evaluation.scalar(arg, timeMs));
  const [quantile = Number.NaN] = scalars;
  if (name === 'quantile_over_time' && window.elements.length > 0 && !(quantile >= 0 && quantile <= 1))
    evaluation.notes.warn(
      `quantile value should be between 0 and 1, got ${goNumber(quantile)}`,
      args[0]?.from ?? call.from,
    );
  const found: Element[] = [];
  for (const { labels, points, dropName } of window.elements) {
    const value = compute(points, { evaluation, call, window, timeMs, labels, scalars });
    if (value !== undefined) found.push({ labels, value, dropName: dropName || !keepsName.has(name) });
  }
  return found;
}

function absentOverTime({ elements, matchers }: Window): readonly Element[] {
  if (elements.length > 0) return [];
  return [{ labels: absentLabels(matchers ?? []), value: 1, dropName: false }];
}

/** The labels that a series would have had that a selector did not find. */
export function absentLabels(matchers: readonly Matcher[]): Labels {
  const labels = new Map<string, string>();
  const spoilt = new Set<string>();
  for (const { name, kind, value } of matchers) {
    if (name === '__name__') continue;
    if (kind === '=' && !labels.has(name) && !spoilt.has(name)) labels.set(name, value);
    else {
      labels.delete(name);
      spoilt.add(name);
    }
  }
  return Labels.ofPairs([...labels]);
}

/** Only the numbers, with a note where there were histograms beside them. */
function numbersOf(points: readonly Point[], { evaluation, call, labels }: RangeContext): readonly number[] {
  const numbers: number[] = [];
  for (const { value } of points) if (isNumber(value)) numbers.push(value);
  if (numbers.length > 0 && numbers.length < points.length)
    evaluation.notes.info(
      `ignored histograms in a range containing both floats and histograms for metric name "${metricOf(labels)}"`,
      matrixPlace(call),
    );
  return numbers;
}

function ofNumbers(compute: (values: readonly number[], context: RangeContext) => number): RangeFunction {
  return (points, context) => {
    const numbers = numbersOf(points, context);
    return numbers.length === 0 ? undefined : compute(numbers, context);
  };
}

/** Numbers by one way, histograms by another; both at once are none of it. */
function ofEither(
  compute: (values: readonly number[]) => number,
  join: (values: readonly NativeHistogram[], context: RangeContext) => NativeHistogram | undefined,
): RangeFunction {
  return (points, context) => {
    const values = points.map(({ value }) => value);
    const numbers = values.filter(isNumber);
    if (numbers.length === values.length) return compute(numbers);
    const { evaluation, labels, call } = context;
    if (numbers.length > 0) {
      const metric = metricOf(labels);
      evaluation.notes.warn(
        `encountered a mix of histograms and floats for metric name "${metric}"`,
        matrixPlace(call),
      );
      return undefined;
    }
    return join(values as readonly NativeHistogram[], context);
  };
}

function total(
  values: readonly NativeHistogram[],
  { evaluation, labels, call }: RangeContext,
): NativeHistogram | undefined {
  let [sum] = values;
  for (const each of values.slice(1)) {
    if (sum === undefined) return undefined;
    const next: NativeHistogram | undefined = sum.plus(each);
    if (next === undefined) {
      const what =
        'vector contains a mix of histograms with exponential and custom buckets schemas for metric name';
      evaluation.notes.warn(`${what} "${metricOf(labels)}"`, matrixPlace(call));
      return undefined;
    }
    noteBounds(evaluation, sum, each, 'aggregation', call.from);
    sum = next;
  }
  return sum;
}

/** Where the value is that is most like `better` says; the last of equals when `last`. */
function placeOf(points: readonly Point[], better: (a: number, b: number) => boolean): number | undefined {
  let found: Point | undefined;
  for (const point of points) {
    if (!isNumber(point.value)) continue;
    const best = found?.value as number | undefined;
    if (best === undefined || Number.isNaN(best) || better(point.value, best) || point.value === best)
      found = point;
  }
  return found && found.timeMs / 1000;
}

/** The straight line nearest to the points: its slope per second, and its value at `zeroMs`. */
function regression(
  points: readonly Point[],
  zeroMs: number,
): { readonly slope: number; readonly intercept: number } {
  const [first] = points;
  const count = points.length;
  if (first !== undefined && points.every(({ value }) => value === first.value))
    return {
      slope: Number.isFinite(first.value) ? 0 : Number.NaN,
      intercept: first.value as number,
    };
  const sums = [new PreciseSum(), new PreciseSum(), new PreciseSum(), new PreciseSum()] as const;
  const [sumX, sumY, sumXy, sumXx] = sums;
  for (const { timeMs, value } of points) {
    const x = (timeMs - zeroMs) / 1000;
    const y = value as number;
    sumX.add(x);
    sumY.add(y);
    sumXy.add(x * y);
    sumXx.add(x * x);
  }
  const covariance = sumXy.value - (sumX.value * sumY.value) / count;
  const spread = sumXx.value - (sumX.value * sumX.value) / count;
  const slope = covariance / spread;
  return { slope, intercept: sumY.value / count - (slope * sumX.value) / count };
}

function withRegression(
  compute: (line: { slope: number; intercept: number }, context: RangeContext) => number,
  zeroMs: (points: readonly Point[], context: RangeContext) => number,
): RangeFunction {
  return (points, context) => {
    numbersOf(points, context);
    const numbers = points.filter(({ value }) => isNumber(value));
    return numbers.length < 2 ? undefined : compute(regression(numbers, zeroMs(numbers, context)), context);
  };
}

function smoothed(values: readonly number[], { scalars }: RangeContext): number | undefined {
  const [smoothing = Number.NaN, trend = Number.NaN] = scalars;
  if (values.length < 2) return undefined;
  let before = 0;
  let level = values[0] as number;
  let slope = (values[1] as number) - level;
  for (let at = 1; at < values.length; at++) {
    if (at > 1) slope = trend * (level - before) + (1 - trend) * slope;
    const next = smoothing * (values[at] as number) + (1 - smoothing) * (level + slope);
    before = level;
    level = next;
  }
  return level;
}

const functions: Readonly<Record<string, RangeFunction>> = {
  rate: (points, context) => changeOver(points, context, true, true),
  increase: (points, context) => changeOver(points, context, true, false),
  delta: (points, context) => changeOver(points, context, false, false),
  irate: (points, context) => lastChange(points, context, true),
  idelta: (points, context) => lastChange(points, context, false),
  resets: (points) => resetsIn(points),
  changes: (points) => {
    const same = (a: Value, b: Value): boolean =>
      isNumber(a)
        ? a === b || (Number.isNaN(a) && isNumber(b) && Number.isNaN(b))
        : !isNumber(b) && a.equals(b);
    return points.filter(({ value }, at) => at > 0 && !same(value, (points[at - 1] as Point).value)).length;
  },
  deriv: withRegression(
    ({ slope }) => slope,
    (points) => (points[0] as Point).timeMs,
  ),
  predict_linear: withRegression(
    ({ slope, intercept }, { scalars }) => slope * (scalars[0] ?? Number.NaN) + intercept,
    (_points, { timeMs }) => timeMs,
  ),
  avg_over_time: ofEither(preciseMean, (values, context) => total(values, context)?.divided(values.length)),
  sum_over_time: ofEither((values) => {
    const sum = new PreciseSum();
    for (const value of values) sum.add(value);
    return sum.value;
  }, total),
  count_over_time: (points) => points.length,
  min_over_time: ofNumbers((values) => values.reduce((a, b) => (b < a || Number.isNaN(a) ? b : a))),
  max_over_time: ofNumbers((values) => values.reduce((a, b) => (b > a || Number.isNaN(a) ? b : a))),
  stddev_over_time: ofNumbers((values) => Math.sqrt(variance(values))),
  stdvar_over_time: ofNumbers((values) => variance(values)),
  quantile_over_time: ofNumbers((values, { scalars }) => quantileOf(scalars[0] ?? Number.NaN, values)),
  mad_over_time: ofNumbers((values) => {
    const median = quantileOf(0.5, values);
    if (Number.isNaN(median) || values.some(Number.isNaN)) return Number.NaN;
    return quantileOf(
      0.5,
      values.map((value) => Math.abs(value - median)),
    );
  }),
  last_over_time: (points) => points.at(-1)?.value,
  first_over_time: (points) => points[0]?.value,
  present_over_time: () => 1,
  ts_of_last_over_time: (points) => (points.at(-1) as Point).timeMs / 1000,
  ts_of_first_over_time: (points) => (points[0] as Point).timeMs / 1000,
  ts_of_min_over_time: (points, context) => {
    numbersOf(points, context);
    return placeOf(points, (a, b) => a < b);
  },
  ts_of_max_over_time: (points, context) => {
    numbersOf(points, context);
    return placeOf(points, (a, b) => a > b);
  },
  double_exponential_smoothing: (points, context) => smoothed(numbersOf(points, context), context),
  holt_winters: (points, context) => smoothed(numbersOf(points, context), context),
};
