import {
  checkOptions,
  delayMs,
  durationMs,
  numberFrom,
  present,
  wholeFrom,
} from '../options/check-options.ts';

/** So many in each window of the clock. Cheap; twice the limit can pass within one window's length across its edge. */
export interface FixedWindow {
  readonly algorithm: 'fixed_window';
  readonly limit: number;
  readonly windowMs: number;
}

/** Never more than the limit in any window of that length, wherever it begins. */
export interface SlidingWindow {
  readonly algorithm: 'sliding_window';
  readonly limit: number;
  readonly windowMs: number;
}

/** `limit` tokens come in per `windowMs`, evenly; up to `burst` are kept. A call takes its cost. */
export interface TokenBucket {
  readonly algorithm: 'token_bucket';
  readonly limit: number;
  readonly windowMs: number;
  /** Default: `limit`. */
  readonly burst?: number;
}

/**
 * Calls leave evenly, `limit` per `windowMs`. One that comes too early is refused (a meter), or, with `maxDelayMs`, made
 * to wait for its turn up to that long (a queue).
 */
export interface LeakyBucket {
  readonly algorithm: 'leaky_bucket';
  readonly limit: number;
  readonly windowMs: number;
  /** Calls that may leave together. Default 1. */
  readonly burst?: number;
  /** Default 0: nobody waits. */
  readonly maxDelayMs?: number;
}

/** So many at a time, each until its end. */
export interface ConcurrentCalls {
  readonly algorithm: 'concurrency';
  readonly limit: number;
}

/** What a limit allows for one key. */
export type RateRule = FixedWindow | SlidingWindow | TokenBucket | LeakyBucket | ConcurrentCalls;

/** What became of one call under one rule. */
export interface RateDecision {
  readonly admitted: boolean;
  readonly limit: number;
  /** How much more would be admitted now. */
  readonly remaining: number;
  /** When the same call would be admitted; 0 if it was; `Infinity`: never, or not to be foreseen. */
  readonly retryAfterMs: number;
  /** When all of the limit is there again. */
  readonly resetMs: number;
  /** How long an admitted call has to wait for its turn. */
  readonly delayMs: number;
}

const algorithm = {
  expected: 'fixed_window, sliding_window, token_bucket, leaky_bucket or concurrency',
  holds: (value: unknown): boolean => typeof value === 'string' && Object.hasOwn(fields, value),
};
const windowed = { algorithm, limit: wholeFrom(1), windowMs: durationMs };
const fields: Readonly<Record<RateRule['algorithm'], Parameters<typeof checkOptions>[2]>> = {
  fixed_window: windowed,
  sliding_window: windowed,
  token_bucket: { ...windowed, burst: numberFrom(1) },
  leaky_bucket: { ...windowed, burst: numberFrom(1), maxDelayMs: delayMs },
  concurrency: { algorithm, limit: wholeFrom(1) },
};

/** Throws `BAD_OPTIONS` for a rule that makes no sense, all problems at once; gives it back otherwise. */
export function rateRule<R extends RateRule>(rule: R): R {
  checkOptions(
    'rate limit',
    rule,
    algorithm.holds(rule.algorithm)
      ? fields[rule.algorithm]
      : { algorithm, limit: present, windowMs: present },
  );
  return rule;
}
