import type { Random } from '@heddle/kernel';

/** How the wait grows from one retry to the next. Milliseconds. */
export interface Backoff {
  /** Upper bound of the first wait. Default 25. */
  readonly baseMs?: number;
  /** Upper bound of any wait. Default 2000. */
  readonly maxMs?: number;
}

/**
 * Exponential back-off with full jitter: uniform in [0, min(maxMs, baseMs * 2^(failures - 1))).
 * `failures` counts from 1. Source: M. Brooker, "Exponential Backoff And Jitter", 2015.
 */
export function backoffMs(failures: number, random: Random, backoff: Backoff = {}): number {
  const { baseMs = 25, maxMs = 2000 } = backoff;
  return random.float() * Math.min(maxMs, baseMs * 2 ** (failures - 1));
}
