import { HeddleError } from '@heddle/kernel';
import type { Aggregate } from './ast.ts';
import { noteBounds } from './binary.ts';
import { type Evaluating, isNumber } from './evaluating.ts';
import { goNumber, histogramText } from './go-number.ts';
import type { Labels } from './labels.ts';
import type { NativeHistogram } from './native-histogram.ts';
import { PreciseSum, preciseMean, quantileOf, variance } from './precise-sum.ts';
import type { Element, Value } from './source.ts';

interface Group {
  readonly labels: Labels;
  readonly elements: Element[];
}

/** An aggregation at a moment. */
export function aggregate(evaluation: Evaluating, expression: Aggregate, timeMs: number): readonly Element[] {
  const { operator, parameter, inner } = expression;
  const elements = evaluation.vector(inner, timeMs);
  if (operator === 'count_values') return countValues(evaluation, expression, elements, timeMs);
  const number = parameter === undefined ? 0 : evaluation.scalar(parameter, timeMs);
  const groups = grouped(elements, expression);
  if (['topk', 'bottomk', 'limitk', 'limit_ratio'].includes(operator)) {
    checkCount(operator, number);
    return groups.flatMap((group) => chosen(evaluation, expression, group.elements, number));
  }
  if (operator === 'quantile' && !(number >= 0 && number <= 1))
    evaluation.notes.warn(
      `quantile value should be between 0 and 1, got ${goNumber(number)}`,
      parameter?.from ?? 0,
    );
  return groups.flatMap(({ labels, elements: members }) => {
    const value = combined(evaluation, expression, members, number);
    return value === undefined ? [] : [{ labels, value, dropName: members.some(({ dropName }) => dropName) }];
  });
}

function grouped(elements: readonly Element[], { without, labels }: Aggregate): readonly Group[] {
  const names = new Set(without ? [...labels, '__name__'] : labels);
  const groups = new Map<string, Group>();
  for (const element of elements) {
    const kept = without ? element.labels.without(names) : element.labels.only(names);
    const group = groups.get(kept.key);
    if (group === undefined) groups.set(kept.key, { labels: kept, elements: [element] });
    else group.elements.push(element);
  }
  return [...groups.values()];
}

const onlyNumbers: Readonly<Record<string, (values: readonly number[], parameter: number) => number>> = {
  min: (values) => values.reduce((a, b) => (b < a || Number.isNaN(a) ? b : a)),
  max: (values) => values.reduce((a, b) => (b > a || Number.isNaN(a) ? b : a)),
  stddev: (values) => Math.sqrt(variance(values)),
  stdvar: variance,
  quantile: (values, quantile) => quantileOf(quantile, values),
};

function combined(
  evaluation: Evaluating,
  { operator, from }: Aggregate,
  elements: readonly Element[],
  parameter: number,
): Value | undefined {
  if (operator === 'count') return elements.length;
  if (operator === 'group') return 1;
  const values = elements.map(({ value }) => value);
  const numbers = values.filter(isNumber);
  const compute = onlyNumbers[operator];
  if (compute !== undefined) {
    if (numbers.length < values.length)
      evaluation.notes.info(`ignored histogram in ${operator} aggregation`, from);
    return numbers.length === 0 ? undefined : compute(numbers, parameter);
  }
  if (numbers.length === values.length) return operator === 'sum' ? sum(numbers) : preciseMean(numbers);
  if (numbers.length > 0) {
    evaluation.notes.warn('encountered a mix of histograms and floats for aggregation', from);
    return undefined;
  }
  return sumOfHistograms(evaluation, values as readonly NativeHistogram[], operator, from);
}

function sum(values: readonly number[]): number {
  const total = new PreciseSum();
  for (const value of values) total.add(value);
  return total.value;
}

function sumOfHistograms(
  evaluation: Evaluating,
  [first, ...others]: readonly NativeHistogram[],
  operator: string,
  from: number,
): NativeHistogram | undefined {
  let total = first;
  if (total === undefined) return undefined;
  for (const each of others) {
    const next: NativeHistogram | undefined = total.plus(each);
    if (next === undefined) {
      evaluation.notes.warn(
        'vector contains a mix of histograms with exponential and custom buckets schemas',
        from,
      );
      return undefined;
    }
    noteBounds(evaluation, total, each, 'aggregation', from);
    total = next;
  }
  return operator === 'avg' ? total.divided(others.length + 1) : total;
}

function checkCount(operator: string, number: number): void {
  const isRatio = operator === 'limit_ratio';
  if (!Number.isNaN(number)) return;
  const message = isRatio ? 'Ratio value is NaN' : 'Parameter value is NaN';
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_PARAMETER', message, sent: false });
}

/** The elements of a group that an aggregation lets through, as they are. */
function chosen(
  evaluation: Evaluating,
  { operator, from, parameter }: Aggregate,
  elements: readonly Element[],
  number: number,
): readonly Element[] {
  const count = Math.max(0, Math.trunc(number));
  if (operator === 'limitk') return elements.slice(0, count);
  if (operator === 'limit_ratio') {
    const ratio = Math.max(-1, Math.min(1, number));
    if (ratio !== number)
      evaluation.notes.warn(
        `ratio value should be between -1 and 1, got ${goNumber(number)}, capping to ${ratio}`,
        parameter?.from ?? from,
      );
    return elements.filter(({ labels }) => isWithin(shareOf(labels), ratio));
  }
  const numbers = elements.filter(({ value }) => isNumber(value));
  if (numbers.length < elements.length)
    evaluation.notes.info(`ignored histogram in ${operator} aggregation`, from);
  const sign = operator === 'topk' ? -1 : 1;
  // NaN last, whichever end is wanted.
  const order = (a: number, b: number): number =>
    Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : sign * (a < b ? -1 : a > b ? 1 : 0);
  return numbers.toSorted((a, b) => order(a.value as number, b.value as number)).slice(0, count);
}

function isWithin(share: number, ratio: number): boolean {
  return ratio >= 0 ? share < ratio : share >= 1 + ratio;
}

/** A number from 0 to 1 that is the same for the same labels. */
function shareOf(labels: Labels): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < labels.key.length; at++)
    hash = Math.imul(hash ^ labels.key.charCodeAt(at), 0x0100_0193);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b_3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) / 2 ** 32;
}

function countValues(
  evaluation: Evaluating,
  expression: Aggregate,
  elements: readonly Element[],
  timeMs: number,
): readonly Element[] {
  const { parameter } = expression;
  const name = parameter === undefined ? undefined : evaluation.at(parameter, timeMs);
  const label = name?.type === 'string' ? name.value : '';
  if (!isLabelName(label)) {
    const message = `invalid label name ${goQuoted(label)}`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_LABEL', message, sent: false });
  }
  const labelled = elements.map((element) => ({
    ...element,
    labels: element.labels.with(label, valueText(element.value)),
  }));
  const labels = expression.without
    ? expression.labels.filter((each) => each !== label)
    : [...expression.labels, label];
  const groups = grouped(labelled, { ...expression, labels });
  return groups.map((group) => ({ labels: group.labels, value: group.elements.length, dropName: false }));
}

/** Prometheus allows any text of UTF-8 that is not empty: what is none came as single bytes. */
function isLabelName(name: string): boolean {
  return name !== '' && !/[\u0080-\u00ff]/.test(name);
}

function goQuoted(text: string): string {
  const shown = text.replaceAll(/[\u0080-\u00ff]/g, (each) => `\\x${each.charCodeAt(0).toString(16)}`);
  return `"${shown}"`;
}

function valueText(value: Value): string {
  return isNumber(value) ? goNumber(value) : histogramText(value);
}
