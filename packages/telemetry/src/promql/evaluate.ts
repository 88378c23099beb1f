import { HeddleError } from '@heddle/kernel';
import { aggregate } from './aggregate.ts';
import type { At, Call, Expression, MatrixSelector, Subquery, VectorSelector } from './ast.ts';
import { binary, scalarResult } from './binary.ts';
import { type Evaluating, type QueryRange, type Result, sameLabels } from './evaluating.ts';
import { instantFunction } from './instant-functions.ts';
import type { Labels } from './labels.ts';
import { Notes } from './notes.ts';
import type { Window } from './range-context.ts';
import { overTime } from './range-functions.ts';
import { type Bounds, selectorBounds } from './selector-bounds.ts';
import type { Element, Point, RangeElement, SeriesData, SeriesSource, Value } from './source.ts';

const defaultLookbackMs = 300_000;
const defaultIntervalMs = 60_000;

/** Evaluates one query: the series are fetched once, the moments one by one. */
export class Evaluation implements Evaluating {
  readonly notes: Notes = new Notes();
  readonly range: QueryRange;
  readonly #source: SeriesSource;
  readonly #bounds: ReadonlyMap<VectorSelector, Bounds>;
  readonly #series = new Map<VectorSelector, readonly SeriesData[]>();
  readonly #steps = new Map<Expression, Map<number, readonly Element[]>>();
  #samples = 0;

  constructor(source: SeriesSource, expression: Expression, range: QueryRange) {
    this.#source = source;
    this.range = range;
    this.#bounds = selectorBounds(expression, range);
  }

  /** The expression at a moment, in the middle of a computation: names that are to go are still there. */
  at(expression: Expression, timeMs: number): Result {
    switch (expression.kind) {
      case 'number':
        return { type: 'scalar', value: expression.value };
      case 'string':
        return { type: 'string', value: expression.value };
      case 'paren':
        return this.at(expression.inner, timeMs);
      case 'negate':
        return this.#negated(this.at(expression.inner, timeMs));
      case 'selector':
        return { type: 'vector', elements: this.#vector(expression, timeMs) };
      case 'range':
      case 'subquery':
        return { type: 'matrix', elements: this.#window(expression, timeMs).elements };
      case 'binary':
        return binary(this, expression, timeMs);
      case 'aggregate':
        return { type: 'vector', elements: aggregate(this, expression, timeMs) };
      case 'call':
        return this.#call(expression, timeMs);
    }
  }

  /** A part that is known to be a vector. */
  vector(expression: Expression, timeMs: number): readonly Element[] {
    const result = this.at(expression, timeMs);
    return result.type === 'vector' ? result.elements : [];
  }

  /** A part that is known to be a scalar. */
  scalar(expression: Expression, timeMs: number): number {
    const result = this.at(expression, timeMs);
    return result.type === 'scalar' ? result.value : Number.NaN;
  }

  #negated(result: Result): Result {
    if (result.type === 'scalar') return { ...result, value: -result.value };
    if (result.type !== 'vector') return result;
    const negative = (value: Value): Value => (typeof value === 'number' ? -value : value.scaled(-1));
    const elements = result.elements.map((each) => ({
      ...each,
      value: negative(each.value),
      dropName: true,
    }));
    return { type: 'vector', elements };
  }

  #call(call: Call, timeMs: number): Result {
    const at = call.args.findIndex(({ type }) => type === 'matrix');
    if (at < 0) return instantFunction(this, call, timeMs);
    const matrix = call.args[at] as Expression;
    const window = this.#window(matrix, timeMs);
    return { type: 'vector', elements: overTime(this, call, window, timeMs) };
  }

  #window(expression: Expression, timeMs: number): Window {
    if (expression.kind === 'paren') return this.#window(expression.inner, timeMs);
    if (expression.kind === 'subquery') return this.#subquery(expression, timeMs);
    if (expression.kind === 'range') return this.#selected(expression, timeMs);
    throw new Error(`a ${expression.kind} has no range`);
  }

  #selected({ selector, rangeMs }: MatrixSelector, timeMs: number): Window {
    const endMs = this.#moment(selector.at, timeMs) - selector.offsetMs;
    const startMs = endMs - rangeMs;
    const elements: RangeElement[] = [];
    for (const { labels, times, values } of this.#fetched(selector)) {
      const points: Point[] = [];
      for (let at = firstAfter(times, startMs); at < times.length; at++) {
        const time = times[at] as number;
        if (time > endMs) break;
        const value = values[at];
        if (value !== undefined) points.push({ timeMs: time, value });
      }
      this.#count(points.length);
      if (points.length > 0) elements.push({ labels, points, dropName: false });
    }
    return { elements, startMs, endMs, matchers: selector.matchers };
  }

  /** At whole multiples of the step, so that what it says does not depend on when it is asked. */
  #subquery(query: Subquery, timeMs: number): Window {
    const { rangeMs, offsetMs, inner } = query;
    const stepMs = query.stepMs ?? this.range.intervalMs ?? defaultIntervalMs;
    if (stepMs <= 0) throw tooMuch('a step of a subquery of more than 0');
    const endMs = this.#moment(query.at, timeMs) - offsetMs;
    const startMs = endMs - rangeMs;
    const gathered = new Map<string, { labels: Labels; points: Point[]; dropName: boolean }>();
    for (let at = (Math.floor(startMs / stepMs) + 1) * stepMs; at <= endMs; at += stepMs) {
      for (const { labels, value, dropName } of this.#step(inner, at)) {
        const known = gathered.get(labels.key);
        if (known === undefined)
          gathered.set(labels.key, { labels, points: [{ timeMs: at, value }], dropName });
        else {
          known.points.push({ timeMs: at, value });
          known.dropName ||= dropName;
        }
      }
    }
    return { elements: [...gathered.values()], startMs, endMs, matchers: undefined };
  }

  /** The steps of one evaluation's subqueries overlap. */
  #step(inner: Expression, timeMs: number): readonly Element[] {
    let steps = this.#steps.get(inner);
    if (steps === undefined) {
      steps = new Map();
      this.#steps.set(inner, steps);
    }
    const known = steps.get(timeMs);
    if (known !== undefined) return known;
    const result = this.at(inner, timeMs);
    const elements = result.type === 'vector' ? result.elements : scalarResult(result);
    this.#count(elements.length);
    steps.set(timeMs, elements);
    return elements;
  }

  #vector(selector: VectorSelector, timeMs: number): readonly Element[] {
    const momentMs = this.#moment(selector.at, timeMs) - selector.offsetMs;
    const elements: Element[] = [];
    for (const { labels, times, values } of this.#fetched(selector)) {
      const at = firstAfter(times, momentMs) - 1;
      if (at < 0 || (times[at] as number) <= momentMs - this.#lookbackMs) continue;
      const value = values[at];
      if (value !== undefined) elements.push({ labels, value, dropName: false });
    }
    this.#count(elements.length);
    return elements;
  }

  /** When a selector's samples are from, for `timestamp`. */
  sampleTimes(selector: VectorSelector, timeMs: number): ReadonlyMap<string, number> {
    const momentMs = this.#moment(selector.at, timeMs) - selector.offsetMs;
    const found = new Map<string, number>();
    for (const { labels, times } of this.#fetched(selector)) {
      const at = firstAfter(times, momentMs) - 1;
      if (at >= 0) found.set(labels.key, times[at] as number);
    }
    return found;
  }

  get #lookbackMs(): number {
    return this.range.lookbackMs ?? defaultLookbackMs;
  }

  #moment(at: At | undefined, timeMs: number): number {
    if (at === undefined) return timeMs;
    return at === 'start' ? this.range.startMs : at === 'end' ? this.range.endMs : at;
  }

  #fetched(selector: VectorSelector): readonly SeriesData[] {
    const known = this.#series.get(selector);
    if (known !== undefined) return known;
    const { fromMs, toMs } = this.#bounds.get(selector) as Bounds;
    const series = this.#source.select(selector.matchers, fromMs, toMs);
    this.#series.set(selector, series);
    return series;
  }

  #count(samples: number): void {
    this.#samples += samples;
    if (this.#samples > (this.range.maxSamples ?? 50_000_000))
      throw tooMuch('a query that looks at fewer samples');
  }
}

/** Where the first sample after `timeMs` is. */
function firstAfter(times: ArrayLike<number>, timeMs: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) <= timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function tooMuch(expected: string): HeddleError {
  const message = `expected ${expected}`;
  return new HeddleError({ code: 'resource_exhausted', reason: 'QUERY_TOO_LARGE', message, sent: false });
}

/** What a query has come to. */
export type Answer = { readonly warnings: readonly string[]; readonly infos: readonly string[] } & Result;

/** The expression at one moment. Throws as the parser, and for what cannot be computed. */
export function queryInstant(source: SeriesSource, expression: Expression, range: QueryRange): Answer {
  const evaluation = new Evaluation(source, expression, range);
  const result = named(evaluation.at(expression, range.startMs));
  return { ...result, warnings: evaluation.notes.warnings, infos: evaluation.notes.infos };
}

/** The expression from begin to end. */
export function queryRange(source: SeriesSource, expression: Expression, range: QueryRange): Answer {
  const evaluation = new Evaluation(source, expression, range);
  const gathered = new Map<string, { labels: Labels; points: Point[]; dropName: boolean }>();
  for (let timeMs = range.startMs; timeMs <= range.endMs; timeMs += range.stepMs) {
    const result = evaluation.at(expression, timeMs);
    for (const { labels, value, dropName } of result.type === 'vector'
      ? result.elements
      : scalarResult(result)) {
      const key = dropName ? labels.withoutName().key : labels.key;
      const known = gathered.get(key);
      if (known === undefined) gathered.set(key, { labels, points: [{ timeMs, value }], dropName });
      else {
        if (known.points.at(-1)?.timeMs === timeMs) throw sameLabels();
        known.points.push({ timeMs, value });
      }
    }
  }
  const result = named({ type: 'matrix', elements: [...gathered.values()] });
  return { ...result, warnings: evaluation.notes.warnings, infos: evaluation.notes.infos };
}

/** With the names taken off that are no longer true. Two series may have become one then, which is an error. */
function named(result: Result): Result {
  if (result.type !== 'vector' && result.type !== 'matrix') return result;
  const clean = <T extends { readonly labels: Labels; readonly dropName: boolean }>(
    elements: readonly T[],
  ): T[] => {
    const seen = new Set<string>();
    return elements.map((element) => {
      const labels = element.dropName ? element.labels.withoutName() : element.labels;
      if (seen.has(labels.key)) throw sameLabels();
      seen.add(labels.key);
      return { ...element, labels };
    });
  };
  return result.type === 'vector'
    ? { type: 'vector', elements: clean(result.elements) }
    : { type: 'matrix', elements: clean(result.elements) };
}
