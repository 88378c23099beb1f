import { HeddleError } from '@heddle/kernel';
import type { Expression, VectorSelector } from './ast.ts';
import { type Labels, nameLabel } from './labels.ts';
import { NativeHistogram } from './native-histogram.ts';
import type { Notes } from './notes.ts';
import type { Element, RangeElement, Value } from './source.ts';

/** What is asked of an evaluation. Milliseconds. */
export interface QueryRange {
  readonly startMs: number;
  readonly endMs: number;
  /** 0 for one moment. */
  readonly stepMs: number;
  /** How far back a sample may lie to count as the value of now. Default 5 minutes. */
  readonly lookbackMs?: number;
  /** The step of subqueries that name none. Default 1 minute. */
  readonly intervalMs?: number;
  /** Samples and results that may be looked at in all. Default 50 million. */
  readonly maxSamples?: number;
}

/** What an expression is at one moment. */
export type Result =
  | { readonly type: 'scalar'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'vector'; readonly elements: readonly Element[] }
  | { readonly type: 'matrix'; readonly elements: readonly RangeElement[] };

/** An evaluation as its functions and operators see it. */
export interface Evaluating {
  readonly notes: Notes;
  readonly range: QueryRange;
  /** A part at a moment, in the middle of a computation: names that are to go are still there. */
  at(expression: Expression, timeMs: number): Result;
  /** A part that is known to be a vector. */
  vector(expression: Expression, timeMs: number): readonly Element[];
  /** A part that is known to be a scalar. */
  scalar(expression: Expression, timeMs: number): number;
  /** When a selector's samples are from, by the key of their labels. */
  sampleTimes(selector: VectorSelector, timeMs: number): ReadonlyMap<string, number>;
}

/** Two series would have the same labels. */
export function sameLabels(): HeddleError {
  const message = 'vector cannot contain metrics with the same labelset';
  return new HeddleError({ code: 'invalid_argument', reason: 'SAME_LABELS', message, sent: false });
}

/** A value as a number; a histogram is none. */
export function isNumber(value: Value): value is number {
  return !(value instanceof NativeHistogram);
}

/** A metric's name for a note. */
export function metricOf(labels: Labels): string {
  return labels.get(nameLabel);
}

/** A text among the arguments. */
export function stringOf(evaluation: Evaluating, argument: Expression | undefined, timeMs: number): string {
  const result = argument === undefined ? undefined : evaluation.at(argument, timeMs);
  return result?.type === 'string' ? result.value : '';
}
