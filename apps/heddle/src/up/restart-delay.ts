/** After so long a run a program counts as healthy, and its next failure as its first. */
const healthyMs = 30_000;
const firstMs = 500;
const longestMs = 10_000;

/** What is remembered of a program's failures. Begin with `noFailures`. */
export interface Failures {
  readonly count: number;
}

/** Nothing has gone wrong yet. */
export const noFailures: Failures = { count: 0 };

/** A program has died after `ranMs`: how long to wait before it is started again, doubling from 0.5 s to 10 s. */
export function died(
  failures: Failures,
  ranMs: number,
): { readonly failures: Failures; readonly delayMs: number } {
  const count = ranMs >= healthyMs ? 1 : failures.count + 1;
  return { failures: { count }, delayMs: Math.min(longestMs, firstMs * 2 ** (count - 1)) };
}
