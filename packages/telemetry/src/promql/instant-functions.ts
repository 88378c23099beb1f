import { HeddleError } from '@heddle/kernel';
import type { Call, Expression } from './ast.ts';
import { calendar } from './calendar.ts';
import { type Evaluating, isNumber, type Result, stringOf } from './evaluating.ts';
import { wholePattern } from './go-pattern.ts';
import { histogramFunction } from './histogram-functions.ts';
import { compareTexts, Labels, nameLabel } from './labels.ts';
import { absentLabels } from './range-functions.ts';
import type { Element, Matcher } from './source.ts';

type Mathematical = (value: number) => number;

const mathematical: Readonly<Record<string, Mathematical>> = {
  abs: Math.abs,
  ceil: Math.ceil,
  floor: Math.floor,
  exp: Math.exp,
  sqrt: Math.sqrt,
  ln: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  sgn: (value) => (value < 0 ? -1 : value > 0 ? 1 : value),
  acos: Math.acos,
  acosh: Math.acosh,
  asin: Math.asin,
  asinh: Math.asinh,
  atan: Math.atan,
  atanh: Math.atanh,
  cos: Math.cos,
  cosh: Math.cosh,
  sin: Math.sin,
  sinh: Math.sinh,
  tan: Math.tan,
  tanh: Math.tanh,
  deg: (value) => (value * 180) / Math.PI,
  rad: (value) => (value * Math.PI) / 180,
};

/** A function without a range at a moment. */
export function instantFunction(evaluation: Evaluating, call: Call, timeMs: number): Result {
  const { name, args } = call;
  const constant = constants(evaluation, name, timeMs);
  if (constant !== undefined) return { type: 'scalar', value: constant };
  const vector = (at: number): readonly Element[] => evaluation.vector(args[at] as Expression, timeMs);
  const scalar = (at: number): number => evaluation.scalar(args[at] as Expression, timeMs);
  if (name === 'scalar') {
    const [only, more] = vector(0).filter(({ value }) => isNumber(value));
    return {
      type: 'scalar',
      value: only === undefined || more !== undefined ? Number.NaN : (only.value as number),
    };
  }
  const elements = (): readonly Element[] => {
    if (name === 'vector') return [{ labels: Labels.empty, value: scalar(0), dropName: false }];
    const simple = mathematical[name];
    if (simple !== undefined) return mapped(vector(0), simple);
    if (name === 'absent') return absent(args[0] as Expression, vector(0));
    if (name === 'timestamp') return timestamps(evaluation, args[0] as Expression, timeMs);
    if (name.startsWith('histogram_')) return histogramFunction(evaluation, call, timeMs);
    if (name.startsWith('sort')) return sorted(evaluation, call, vector(0), timeMs);
    if (name === 'label_replace' || name === 'label_join')
      return relabelled(evaluation, call, vector(0), timeMs);
    if (name === 'round') return rounded(vector(0), args.length > 1 ? scalar(1) : 1);
    if (name.startsWith('clamp')) return clamped(name, vector(0), scalar(1), args.length > 2 ? scalar(2) : 0);
    const part = calendar[name];
    if (part === undefined) throw new Error(`there is no function ${name}`);
    const now = [{ labels: Labels.empty, value: timeMs / 1000, dropName: false }];
    return mapped(args.length === 0 ? now : vector(0), part);
  };
  return { type: 'vector', elements: elements() };
}

function constants({ range }: Evaluating, name: string, timeMs: number): number | undefined {
  switch (name) {
    case 'time':
      return timeMs / 1000;
    case 'pi':
      return Math.PI;
    case 'step':
      return range.stepMs / 1000;
    case 'range':
      return (range.endMs - range.startMs) / 1000;
    case 'start':
      return range.startMs / 1000;
    case 'end':
      return range.endMs / 1000;
    default:
      return undefined;
  }
}

/** Histograms are passed over: these are functions of numbers. */
function mapped(elements: readonly Element[], change: Mathematical): readonly Element[] {
  const found: Element[] = [];
  for (const { labels, value } of elements)
    if (isNumber(value)) found.push({ labels, value: change(value), dropName: true });
  return found;
}

function rounded(elements: readonly Element[], to: number): readonly Element[] {
  // By the inverse, as Prometheus does it: 1 / 0.1 is 10, and 10 has no rounding of its own.
  const inverse = 1 / to;
  return mapped(elements, (value) => Math.floor(value * inverse + 0.5) / inverse);
}

function clamped(name: string, elements: readonly Element[], a: number, b: number): readonly Element[] {
  const least = name === 'clamp_max' ? Number.NEGATIVE_INFINITY : a;
  const most = name === 'clamp_max' ? a : name === 'clamp' ? b : Number.POSITIVE_INFINITY;
  if (most < least) return [];
  const bounded = (value: number): number => Math.max(least, Math.min(most, value));
  return mapped(elements, (value) =>
    Number.isNaN(a) || (name === 'clamp' && Number.isNaN(b)) ? Number.NaN : bounded(value),
  );
}

function absent(argument: Expression, elements: readonly Element[]): readonly Element[] {
  if (elements.length > 0) return [];
  return [{ labels: absentLabels(matchersOf(argument)), value: 1, dropName: false }];
}

function matchersOf(expression: Expression): readonly Matcher[] {
  if (expression.kind === 'paren') return matchersOf(expression.inner);
  return expression.kind === 'selector' ? expression.matchers : [];
}

function timestamps(evaluation: Evaluating, argument: Expression, timeMs: number): readonly Element[] {
  const elements = evaluation.vector(argument, timeMs);
  let inner = argument;
  while (inner.kind === 'paren') inner = inner.inner;
  // Only of a plain selector: whatever is computed is of now.
  const times = inner.kind === 'selector' ? evaluation.sampleTimes(inner, timeMs) : undefined;
  return elements.map(({ labels }) => ({
    labels,
    value: (times?.get(labels.key) ?? timeMs) / 1000,
    dropName: true,
  }));
}

function sorted(
  evaluation: Evaluating,
  { name, args, from }: Call,
  elements: readonly Element[],
  timeMs: number,
): readonly Element[] {
  if (evaluation.range.stepMs > 0) {
    const why = 'since results are always ordered by labels';
    evaluation.notes.warn(`sort is ineffective for range queries ${why}`, from);
  }
  const sign = name.endsWith('_desc') ? -1 : 1;
  if (name.startsWith('sort_by_label')) {
    const names = args.slice(1).map((arg) => stringOf(evaluation, arg, timeMs));
    return elements.toSorted((a, b) => {
      for (const label of names) {
        const order = naturalOrder(a.labels.get(label), b.labels.get(label));
        if (order !== 0) return sign * order;
      }
      return sign * compareTexts(a.labels.key, b.labels.key);
    });
  }
  const order = (a: number, b: number): number =>
    Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : sign * (a < b ? -1 : a > b ? 1 : 0);
  return elements
    .filter(({ value }) => isNumber(value))
    .toSorted((a, b) => order(a.value as number, b.value as number));
}

/** Numbers within texts by their size: `node2` before `node10`. */
function naturalOrder(a: string, b: string): number {
  const left: readonly string[] = a.match(/\d+|\D+/g) ?? [];
  const right: readonly string[] = b.match(/\d+|\D+/g) ?? [];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [x, y] = [left[at] as string, right[at] as string];
    const bothNumbers = /^\d/.test(x) && /^\d/.test(y);
    const order = bothNumbers ? Number(x) - Number(y) : compareTexts(x, y);
    if (order !== 0) return order;
  }
  return left.length - right.length || compareTexts(a, b);
}

function relabelled(
  evaluation: Evaluating,
  { name, args }: Call,
  elements: readonly Element[],
  timeMs: number,
): readonly Element[] {
  const [target = '', ...texts] = args.slice(1).map((arg) => stringOf(evaluation, arg, timeMs));
  checkLabel(target);
  const change = name === 'label_replace' ? replacing(texts) : joining(texts);
  return elements.map((element) => {
    const value = change(element.labels);
    if (value === undefined) return element;
    const labels = element.labels.with(target, value);
    // A name that was given anew is true again.
    return { ...element, labels, dropName: target === nameLabel ? false : element.dropName };
  });
}

function replacing([replacement = '', source = '', pattern = '']: readonly string[]): (
  labels: Labels,
) => string | undefined {
  let regexp: RegExp;
  try {
    regexp = wholePattern(pattern);
  } catch (cause) {
    throw bad(`invalid regular expression in label_replace(): ${pattern}`, cause);
  }
  return (labels) => {
    const match = regexp.exec(labels.get(source));
    if (match === null) return undefined;
    return replacement.replaceAll(/\$(?:(\d+)|(\w+)|\{(\w+)\}|(\$))/g, (_, number, word, braced, dollar) => {
      if (dollar !== undefined) return '$';
      const group = (number ?? word ?? braced) as string;
      return (/^\d+$/.test(group) ? match[Number(group)] : match.groups?.[group]) ?? '';
    });
  };
}

function joining([separator = '', ...names]: readonly string[]): (labels: Labels) => string {
  for (const name of names) checkLabel(name);
  return (labels) => names.map((name) => labels.get(name)).join(separator);
}

function checkLabel(name: string): void {
  if (name === '' || /[\u0080-\u00ff]/.test(name)) throw bad(`invalid label name ${JSON.stringify(name)}`);
}

function bad(message: string, cause?: unknown): HeddleError {
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_LABEL', message, cause, sent: false });
}
