import { HeddleError } from '@heddle/kernel';
import type { Binary, Matching } from './ast.ts';
import { type Evaluating, isNumber, type Result } from './evaluating.ts';
import { Labels, nameLabel } from './labels.ts';
import type { NativeHistogram } from './native-histogram.ts';
import type { Element, Value } from './source.ts';

/** A scalar as a vector of one element without labels, as it is shown over a range. */
export function scalarResult(result: Result): readonly Element[] {
  return result.type === 'scalar' ? [{ labels: Labels.empty, value: result.value, dropName: false }] : [];
}

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
};

const arithmetic: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
  // C's: 1 to any power is 1, also where JavaScript says NaN.
  '^': (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b),
  atan2: Math.atan2,
};

/** What an operator makes of two values; undefined: nothing comes of it. */
interface Outcome {
  readonly value: Value;
  /** Of a comparison without `bool`: whether the element stays. */
  readonly kept: boolean;
}

/** An operator between two expressions at a moment. */
export function binary(evaluation: Evaluating, expression: Binary, timeMs: number): Result {
  const left = evaluation.at(expression.left, timeMs);
  const right = evaluation.at(expression.right, timeMs);
  if (left.type === 'scalar' && right.type === 'scalar') {
    const outcome = compute(evaluation, expression, left.value, right.value);
    const compared = Object.hasOwn(comparisons, expression.operator);
    const value = compared ? Number(outcome?.kept ?? false) : (outcome?.value as number);
    return { type: 'scalar', value };
  }
  if (left.type === 'vector' && right.type === 'vector') {
    const { operator, matching } = expression;
    const elements = ['and', 'or', 'unless'].includes(operator)
      ? setOperation(operator, left.elements, right.elements, matching)
      : joined(evaluation, expression, left.elements, right.elements);
    return { type: 'vector', elements };
  }
  if (left.type === 'vector' && right.type === 'scalar')
    return {
      type: 'vector',
      elements: withScalar(evaluation, expression, left.elements, right.value, false),
    };
  if (left.type === 'scalar' && right.type === 'vector')
    return { type: 'vector', elements: withScalar(evaluation, expression, right.elements, left.value, true) };
  return { type: 'vector', elements: [] };
}

function withScalar(
  evaluation: Evaluating,
  expression: Binary,
  elements: readonly Element[],
  scalar: number,
  scalarFirst: boolean,
): readonly Element[] {
  const compared = Object.hasOwn(comparisons, expression.operator);
  const found: Element[] = [];
  for (const element of elements) {
    const outcome = scalarFirst
      ? compute(evaluation, expression, scalar, element.value)
      : compute(evaluation, expression, element.value, scalar);
    if (outcome === undefined) continue;
    if (compared && !expression.bool) {
      // What stays is the vector's own value, whichever side it is on.
      if (outcome.kept) found.push(element);
    } else {
      const value = compared ? Number(outcome.kept) : outcome.value;
      found.push({ labels: element.labels, value, dropName: true });
    }
  }
  return found;
}

/** Both values by the operator, with notes where the types do not go together. */
function compute(
  evaluation: Evaluating,
  { operator, from }: Binary,
  a: Value,
  b: Value,
): Outcome | undefined {
  const compare = comparisons[operator];
  if (isNumber(a) && isNumber(b)) {
    if (compare !== undefined) return { value: a, kept: compare(a, b) };
    return { value: arithmetic[operator]?.(a, b) ?? Number.NaN, kept: true };
  }
  const outcome = withHistograms(evaluation, operator, from, a, b);
  if (outcome !== undefined) return outcome;
  const kinds = [a, b].map((value) => (isNumber(value) ? 'float' : 'histogram'));
  evaluation.notes.info(
    `incompatible sample types encountered for binary operator "${operator}": ${kinds.join(` ${operator} `)}`,
    from,
  );
  return undefined;
}

function withHistograms(
  evaluation: Evaluating,
  operator: string,
  from: number,
  a: Value,
  b: Value,
): Outcome | undefined {
  if (!isNumber(a) && isNumber(b)) {
    if (operator === '*') return { value: a.scaled(b), kept: true };
    return operator === '/' ? { value: a.divided(b), kept: true } : undefined;
  }
  if (isNumber(a) && !isNumber(b)) return operator === '*' ? { value: b.scaled(a), kept: true } : undefined;
  const [left, right] = [a as NativeHistogram, b as NativeHistogram];
  if (operator === '==') return { value: left, kept: left.equals(right) };
  if (operator === '!=') return { value: left, kept: !left.equals(right) };
  if (operator !== '+' && operator !== '-') return undefined;
  const value = operator === '+' ? left.plus(right) : left.minus(right);
  if (value !== undefined) {
    noteBounds(evaluation, left, right, operator === '+' ? 'addition' : 'subtraction', from);
    return { value, kept: true };
  }
  evaluation.notes.warn(
    'vector contains a mix of histograms with exponential and custom buckets schemas',
    from,
  );
  return { value: Number.NaN, kept: false };
}

/** Says that two histograms had different custom bounds. */
export function noteBounds(
  evaluation: Evaluating,
  a: NativeHistogram,
  b: NativeHistogram,
  what: string,
  from: number,
): void {
  if (
    !a.custom ||
    (a.bounds.length === b.bounds.length && a.bounds.every((bound, at) => bound === b.bounds[at]))
  )
    return;
  evaluation.notes.info(`mismatched custom buckets were reconciled during ${what}`, from);
}

/** The labels by which two elements are matched, as text. */
function signature({ on, labels }: Matching): (labels: Labels) => string {
  const names = new Set(on ? labels : [...labels, nameLabel]);
  return (given) => (on ? given.only(names) : given.without(names)).key;
}

function setOperation(
  operator: string,
  left: readonly Element[],
  right: readonly Element[],
  matching: Matching,
): readonly Element[] {
  const key = signature(matching);
  if (operator === 'or') {
    const known = new Set(left.map(({ labels }) => key(labels)));
    return [...left, ...right.filter(({ labels }) => !known.has(key(labels)))];
  }
  const known = new Set(right.map(({ labels }) => key(labels)));
  return left.filter(({ labels }) => known.has(key(labels)) === (operator === 'and'));
}

/** One to one, or many to one: the one side is looked up by what is matched. */
function joined(
  evaluation: Evaluating,
  expression: Binary,
  left: readonly Element[],
  right: readonly Element[],
): readonly Element[] {
  const { matching, operator, bool } = expression;
  const swapped = matching.card === 'one-to-many';
  const [many, one] = swapped ? [right, left] : [left, right];
  const key = signature(matching);
  const ones = new Map<string, Element>();
  for (const element of one) {
    const text = key(element.labels);
    if (ones.has(text)) throw notUnique(swapped ? 'left' : 'right', matching, text);
    ones.set(text, element);
  }
  const compared = Object.hasOwn(comparisons, operator);
  const found: Element[] = [];
  const seen = new Set<string>();
  for (const element of many) {
    const text = key(element.labels);
    const other = ones.get(text);
    if (other === undefined) continue;
    const [a, b] = swapped ? [other.value, element.value] : [element.value, other.value];
    const outcome = compute(evaluation, expression, a, b);
    if (outcome === undefined || (!compared && !outcome.kept)) continue;
    const dropName = !compared || bool || element.dropName;
    const labels = resultLabels(element.labels, other.labels, matching, !compared || bool);
    // One to one, a second match is a mistake in the query, kept or not; many to one, only two equal results are.
    const unique = matching.card === 'one-to-one' ? text : labels.key;
    if (compared && !bool && !outcome.kept) {
      if (matching.card === 'one-to-one') guardUnique(seen, unique, matching);
      continue;
    }
    guardUnique(seen, unique, matching);
    const value = compared && bool ? Number(outcome.kept) : outcome.value;
    const kept = compared && !bool ? element.value : value;
    found.push({ labels, value: swapped && compared && !bool ? other.value : kept, dropName });
  }
  return found;
}

function guardUnique(seen: Set<string>, key: string, matching: Matching): void {
  if (seen.has(key)) throw notUnique(matching.card === 'one-to-one' ? 'left' : 'result', matching, key);
  seen.add(key);
}

function resultLabels(many: Labels, one: Labels, matching: Matching, dropsName: boolean): Labels {
  const base = dropsName ? many.withoutName() : many;
  if (matching.card === 'one-to-one') {
    if (!matching.on) return base.without(new Set(matching.labels));
    return base.only(new Set(matching.labels));
  }
  return matching.include.reduce((labels, name) => labels.with(name, one.get(name)), base);
}

function notUnique(side: string, { card }: Matching, key: string): HeddleError {
  const group = key.replaceAll('\u0001', '=').replaceAll('\u0002', ', ');
  const message =
    side === 'result'
      ? 'multiple matches for labels: grouping labels must ensure unique matches'
      : card === 'one-to-one' && side === 'left'
        ? 'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)'
        : `found duplicate series for the match group {${group}} on the ${side} hand-side of the operation`;
  return new HeddleError({ code: 'invalid_argument', reason: 'NOT_UNIQUE', message, sent: false });
}
