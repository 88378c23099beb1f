import type { Health } from '../registry/instance.ts';

/** When a check's results change an instance's health. */
export interface HealthRules {
  /** From one check to the next, in milliseconds. Default 30000. */
  readonly intervalMs: number;
  /** Each interval is longer or shorter by up to this share, so that checks of a fleet spread. Default 0.1. */
  readonly jitter: number;
  /** Successes in a row that make a critical instance pass. Default 2. */
  readonly rise: number;
  /** Failures in a row that make it critical. Default 3. */
  readonly fall: number;
}

/** Interval 30 s, three tries. */
export const defaultHealthRules: HealthRules = { intervalMs: 30_000, jitter: 0.1, rise: 2, fall: 3 };

/** What one check found. `why` is for people. */
export interface CheckResult {
  readonly health: 'passing' | 'warning' | 'critical';
  readonly why: string;
}

/** What is known about one instance. */
export interface HealthState {
  readonly health: Health;
  /** What the last check found. Empty before the first. */
  readonly why: string;
  /** When `health` became what it is, in monotonic time. */
  readonly sinceMs: number;
  /** Results in a row that are not critical, and that are; one of them is 0. */
  readonly successes: number;
  readonly failures: number;
}

/** What can happen. `chance` is uniform in [0, 1). */
export type HealthInput =
  /** A check has ended. */
  | { readonly kind: 'checked'; readonly result: CheckResult; readonly chance: number }
  /** The instance itself has said how it is: that needs no repetition to be believed. */
  | { readonly kind: 'reported'; readonly result: CheckResult };

/** What the owner must do. */
export type HealthEffect =
  | { readonly kind: 'changed'; readonly from: Health; readonly to: Health; readonly why: string }
  /** Check again after this long. */
  | { readonly kind: 'check'; readonly afterMs: number };

/** Nothing is known yet. */
export function unknownHealth(nowMs: number): HealthState {
  return { health: 'unknown', why: '', sinceMs: nowMs, successes: 0, failures: 0 };
}

/**
 * The health of one instance after one more thing that happened. Pure.
 * The first success is believed at once, since an instance that has just started should get calls; a critical one has
 * to succeed `rise` times, and any to fail `fall` times, in a row. A warning is a success that says so.
 */
export function step(
  state: HealthState,
  input: HealthInput,
  nowMs: number,
  rules: HealthRules,
): { readonly state: HealthState; readonly effects: readonly HealthEffect[] } {
  const { health: found, why } = input.result;
  const failed = found === 'critical';
  const successes = failed ? 0 : state.successes + 1;
  const failures = failed ? state.failures + 1 : 0;
  const isBelieved = input.kind === 'reported' || isEnough(state.health, successes, failures, rules);
  const health = isBelieved ? found : state.health;
  const effects: HealthEffect[] = [];
  if (health !== state.health) effects.push({ kind: 'changed', from: state.health, to: health, why });
  if (input.kind === 'checked') effects.push({ kind: 'check', afterMs: delayMs(rules, input.chance) });
  const sinceMs = health === state.health ? state.sinceMs : nowMs;
  return { state: { health, why, sinceMs, successes, failures }, effects };
}

function isEnough(before: Health, successes: number, failures: number, { rise, fall }: HealthRules): boolean {
  if (failures > 0) return failures >= fall;
  return before !== 'critical' || successes >= rise;
}

function delayMs({ intervalMs, jitter }: HealthRules, chance: number): number {
  return intervalMs * (1 + jitter * (2 * chance - 1));
}
