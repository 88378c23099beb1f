import { isNumber, metricOf } from './evaluating.ts';
import { noteBounds } from './binary.ts';
import type { NativeHistogram } from './native-histogram.ts';
import { matrixPlace, type RangeContext } from './range-context.ts';
import type { Point, Value } from './source.ts';

/**
 * How much a series has changed over a range, carried on to the ends of the range where the samples come close to them
 * (Prometheus' `extrapolatedRate`). A counter that falls was reset, and counts from there.
 */
export function changeOver(
  points: readonly Point[],
  context: RangeContext,
  isCounter: boolean,
  isRate: boolean,
): Value | undefined {
  const { evaluation, labels, call, window } = context;
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined || points.length < 2) return undefined;
  const numbers = points.filter(({ value }) => isNumber(value)).length;
  if (numbers > 0 && numbers < points.length) {
    const metric = metricOf(labels);
    evaluation.notes.warn(
      `encountered a mix of histograms and floats for metric name "${metric}"`,
      matrixPlace(call),
    );
    return undefined;
  }
  if (isCounter) noteIfNoCounter(context);
  const change = numbers > 0 ? numberChange(points, isCounter) : histogramChange(points, context, isCounter);
  if (change === undefined) return undefined;
  const sampledMs = last.timeMs - first.timeMs;
  const betweenMs = sampledMs / (points.length - 1);
  const near = betweenMs * 1.1;
  let beforeMs = first.timeMs - window.startMs;
  let afterMs = window.endMs - last.timeMs;
  if (beforeMs >= near) beforeMs = betweenMs / 2;
  // A counter was not below zero before: where it would have been, it began.
  const [grown, start] = isNumber(change)
    ? [change, first.value as number]
    : [change.count, (first.value as NativeHistogram).count];
  if (isCounter && grown > 0 && start >= 0) beforeMs = Math.min(beforeMs, sampledMs * (start / grown));
  if (afterMs >= near) afterMs = betweenMs / 2;
  const factor =
    (sampledMs + beforeMs + afterMs) / sampledMs / (isRate ? (window.endMs - window.startMs) / 1000 : 1);
  return isNumber(change) ? change * factor : change.scaled(factor);
}

function noteIfNoCounter({ labels, evaluation, call }: RangeContext): void {
  const metric = metricOf(labels);
  if (metric === '' || /_(total|sum|count|bucket)$/.test(metric)) return;
  evaluation.notes.info(
    `metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "${metric}"`,
    matrixPlace(call),
  );
}

function numberChange(points: readonly Point[], isCounter: boolean): number {
  let change = (points.at(-1)?.value as number) - (points[0]?.value as number);
  if (!isCounter) return change;
  for (let at = 1; at < points.length; at++) {
    const before = (points[at - 1] as Point).value as number;
    if (((points[at] as Point).value as number) < before) change += before;
  }
  return change;
}

function histogramChange(
  points: readonly Point[],
  { evaluation, labels, call }: RangeContext,
  isCounter: boolean,
): NativeHistogram | undefined {
  const values = points.map(({ value }) => value as NativeHistogram);
  const [first] = values as [NativeHistogram];
  const last = values.at(-1) as NativeHistogram;
  const metric = metricOf(labels);
  const place = matrixPlace(call);
  if (values.some(({ custom }) => custom !== first.custom)) {
    const what =
      'vector contains a mix of histograms with exponential and custom buckets schemas for metric name';
    evaluation.notes.warn(`${what} "${metric}"`, place);
    return undefined;
  }
  if (isCounter && values.some(({ hint }) => hint === 'gauge'))
    evaluation.notes.warn(`this native histogram metric is not a counter: "${metric}"`, place);
  if (!isCounter && (first.hint !== 'gauge' || last.hint !== 'gauge'))
    evaluation.notes.warn(`this native histogram metric is not a gauge: "${metric}"`, place);
  // A sample that was reset right at the begin leaves nothing to subtract.
  let change = last.minus(first);
  if (change !== undefined) noteBounds(evaluation, last, first, 'subtraction', call.from);
  if (isCounter)
    for (let at = 1; at < values.length; at++) {
      const before = values[at - 1] as NativeHistogram;
      if ((values[at] as NativeHistogram).isResetAfter(before)) change = change?.plus(before);
    }
  return change?.withHint('gauge');
}

/** How much it has changed between the last two samples, per second for a counter. */
export function lastChange(
  points: readonly Point[],
  context: RangeContext,
  isRate: boolean,
): Value | undefined {
  const { evaluation, labels, call } = context;
  const last = points.at(-1);
  const before = points.at(-2);
  if (last === undefined || before === undefined) return undefined;
  if (isRate) noteIfNoCounter(context);
  const seconds = (last.timeMs - before.timeMs) / 1000;
  if (seconds === 0) return undefined;
  if (isNumber(last.value) && isNumber(before.value)) {
    const wasReset = isRate && last.value < before.value;
    const change = wasReset ? last.value : last.value - before.value;
    return isRate ? change / seconds : change;
  }
  if (isNumber(last.value) || isNumber(before.value)) {
    const metric = metricOf(labels);
    evaluation.notes.warn(
      `encountered a mix of histograms and floats for metric name "${metric}"`,
      matrixPlace(call),
    );
    return undefined;
  }
  return lastHistogramChange(last.value, before.value, context, isRate ? seconds : undefined);
}

function lastHistogramChange(
  last: NativeHistogram,
  before: NativeHistogram,
  { evaluation, labels, call }: RangeContext,
  seconds: number | undefined,
): NativeHistogram | undefined {
  const isGauge = last.hint === 'gauge' && before.hint === 'gauge';
  const isCounter = last.hint !== 'gauge' && before.hint !== 'gauge';
  if (seconds !== undefined && !isCounter)
    evaluation.notes.warn(
      `this native histogram metric is not a counter: "${metricOf(labels)}"`,
      matrixPlace(call),
    );
  if (seconds === undefined && !isGauge)
    evaluation.notes.warn(
      `this native histogram metric is not a gauge: "${metricOf(labels)}"`,
      matrixPlace(call),
    );
  const wasReset = seconds !== undefined && last.isResetAfter(before);
  const change = wasReset ? last : last.minus(before);
  if (change === undefined) {
    const what =
      'vector contains a mix of histograms with exponential and custom buckets schemas for metric name';
    evaluation.notes.warn(`${what} "${metricOf(labels)}"`, matrixPlace(call));
    return undefined;
  }
  if (!wasReset) noteBounds(evaluation, last, before, 'subtraction', matrixPlace(call));
  return (seconds === undefined ? change : change.divided(seconds)).withHint('gauge');
}

/** How often a counter was reset. */
export function resetsIn(points: readonly Point[]): number {
  let resets = 0;
  for (let at = 1; at < points.length; at++) {
    const before = (points[at - 1] as Point).value;
    const now = (points[at] as Point).value;
    if (isNumber(now) && isNumber(before)) resets += now < before ? 1 : 0;
    else if (isNumber(now) !== isNumber(before)) resets++;
    else resets += (now as NativeHistogram).isResetAfter(before as NativeHistogram) ? 1 : 0;
  }
  return resets;
}
