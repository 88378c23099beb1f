import type { Call } from './ast.ts';
import type { Evaluating } from './evaluating.ts';
import type { Labels } from './labels.ts';
import type { Matcher, RangeElement } from './source.ts';

/** What a range selects, and from when to when. */
export interface Window {
  readonly elements: readonly RangeElement[];
  readonly startMs: number;
  readonly endMs: number;
  /** Of a selector; undefined for a subquery. */
  readonly matchers: readonly Matcher[] | undefined;
}

/** What a function needs beside the points. */
export interface RangeContext {
  readonly evaluation: Evaluating;
  readonly call: Call;
  readonly window: Window;
  readonly timeMs: number;
  readonly labels: Labels;
  /** The scalar arguments, in order. */
  readonly scalars: readonly number[];
}

/** Where the range is in the text. */
export function matrixPlace(call: Call): number {
  return call.args.find(({ type }) => type === 'matrix')?.from ?? call.from;
}
