import type { Labels } from './labels.ts';
import type { NativeHistogram } from './native-histogram.ts';

/** What a series has at a moment. */
export type Value = number | NativeHistogram;

/** A condition on a label. Patterns are anchored. */
export interface Matcher {
  readonly name: string;
  readonly kind: '=' | '!=' | '=~' | '!~';
  readonly value: string;
  readonly matches: (value: string) => boolean;
}

/** The samples of one series. */
export interface SeriesData {
  readonly labels: Labels;
  /** Milliseconds since 1970, ascending. */
  readonly times: ArrayLike<number>;
  /** Undefined: the series ended here (Prometheus' stale marker). */
  readonly values: ArrayLike<Value | undefined>;
}

/** Where series come from. */
export interface SeriesSource {
  /** Those that meet all matchers, with their samples after `fromMs` and up to `toMs`. */
  select(matchers: readonly Matcher[], fromMs: number, toMs: number): readonly SeriesData[];
}

/** A series at one moment, in the middle of a computation. */
export interface Element {
  readonly labels: Labels;
  readonly value: Value;
  /** The name is no longer true of the value, and goes at the end unless somebody gives it another. */
  readonly dropName: boolean;
}

/** A sample with its time. */
export interface Point {
  readonly timeMs: number;
  readonly value: Value;
}

/** A series over a range, in the middle of a computation. */
export interface RangeElement {
  readonly labels: Labels;
  readonly points: readonly Point[];
  readonly dropName: boolean;
}
