import type { Matcher } from './source.ts';

/** The four types of PromQL. */
export type PromType = 'scalar' | 'vector' | 'matrix' | 'string';

/** What fixes the time of a selector: a moment, or the begin or end of the query. */
export type At = number | 'start' | 'end';

/** Where an expression is in the text, from 0. */
export interface Place {
  readonly from: number;
}

/** How the two sides of an operator are matched. */
export interface Matching {
  readonly on: boolean;
  readonly labels: readonly string[];
  readonly card: 'one-to-one' | 'many-to-one' | 'one-to-many' | 'many-to-many';
  /** Labels that the many side takes over from the one. */
  readonly include: readonly string[];
}

/** A selector of series. */
export interface VectorSelector extends Place {
  readonly kind: 'selector';
  readonly type: 'vector';
  readonly matchers: readonly Matcher[];
  readonly offsetMs: number;
  readonly at: At | undefined;
}

/** A selector of series with a range. */
export interface MatrixSelector extends Place {
  readonly kind: 'range';
  readonly type: 'matrix';
  readonly selector: VectorSelector;
  readonly rangeMs: number;
}

/** An expression evaluated again and again within a range. */
export interface Subquery extends Place {
  readonly kind: 'subquery';
  readonly type: 'matrix';
  readonly inner: Expression;
  readonly rangeMs: number;
  /** Undefined: the default interval. */
  readonly stepMs: number | undefined;
  readonly offsetMs: number;
  readonly at: At | undefined;
}

/** An expression of PromQL, checked. */
export type Expression =
  | (Place & { readonly kind: 'number'; readonly type: 'scalar'; readonly value: number })
  | (Place & { readonly kind: 'string'; readonly type: 'string'; readonly value: string })
  | VectorSelector
  | MatrixSelector
  | Subquery
  | (Place & { readonly kind: 'negate'; readonly type: PromType; readonly inner: Expression })
  | (Place & { readonly kind: 'paren'; readonly type: PromType; readonly inner: Expression })
  | Binary
  | Call
  | Aggregate;

/** An operator between two expressions. */
export interface Binary extends Place {
  readonly kind: 'binary';
  readonly type: PromType;
  readonly operator: string;
  readonly bool: boolean;
  readonly left: Expression;
  readonly right: Expression;
  readonly matching: Matching;
}

/** A function with its arguments. */
export interface Call extends Place {
  readonly kind: 'call';
  readonly type: PromType;
  readonly name: string;
  readonly args: readonly Expression[];
}

/** An aggregation. */
export interface Aggregate extends Place {
  readonly kind: 'aggregate';
  readonly type: 'vector';
  readonly operator: string;
  readonly without: boolean;
  readonly labels: readonly string[];
  readonly parameter: Expression | undefined;
  readonly inner: Expression;
}
