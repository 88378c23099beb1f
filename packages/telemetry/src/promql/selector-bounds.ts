import type { At, Expression, VectorSelector } from './ast.ts';
import type { QueryRange } from './evaluating.ts';

/** From when to when a selector's samples can matter. Milliseconds. */
export interface Bounds {
  readonly fromMs: number;
  readonly toMs: number;
}

/** For each selector of an expression, which samples a query may look at: what has to be fetched, and no more. */
export function selectorBounds(
  expression: Expression,
  range: QueryRange,
): ReadonlyMap<VectorSelector, Bounds> {
  const found = new Map<VectorSelector, Bounds>();
  walk(expression, { fromMs: range.startMs, toMs: range.endMs }, range, found);
  return found;
}

function walk(
  expression: Expression,
  moments: Bounds,
  range: QueryRange,
  found: Map<VectorSelector, Bounds>,
): void {
  const lookbackMs = range.lookbackMs ?? 300_000;
  switch (expression.kind) {
    case 'number':
    case 'string':
      return;
    case 'selector':
      found.set(expression, back(shifted(moments, expression, range), lookbackMs));
      return;
    case 'range':
      found.set(expression.selector, back(shifted(moments, expression.selector, range), expression.rangeMs));
      return;
    case 'subquery':
      walk(expression.inner, back(shifted(moments, expression, range), expression.rangeMs), range, found);
      return;
    case 'paren':
    case 'negate':
      walk(expression.inner, moments, range, found);
      return;
    case 'binary':
      walk(expression.left, moments, range, found);
      walk(expression.right, moments, range, found);
      return;
    case 'call':
      for (const arg of expression.args) walk(arg, moments, range, found);
      return;
    case 'aggregate':
      if (expression.parameter !== undefined) walk(expression.parameter, moments, range, found);
      walk(expression.inner, moments, range, found);
  }
}

function back({ fromMs, toMs }: Bounds, byMs: number): Bounds {
  return { fromMs: fromMs - byMs, toMs };
}

function shifted(
  moments: Bounds,
  { at, offsetMs }: { readonly at: At | undefined; readonly offsetMs: number },
  range: QueryRange,
): Bounds {
  const fixed = at === 'start' ? range.startMs : at === 'end' ? range.endMs : at;
  const { fromMs, toMs } = fixed === undefined ? moments : { fromMs: fixed, toMs: fixed };
  return { fromMs: fromMs - offsetMs, toMs: toMs - offsetMs };
}
