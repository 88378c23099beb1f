import type { Priority } from '@heddle/kernel';

/** How late is too late. */
export interface ShedRules {
  /** Up to this delay nothing is shed; `normal` calls up to twice as long. */
  readonly calmMs: number;
  /**
   * From this delay on all `sheddable` calls are shed, from twice as long all `normal` ones; only then the first
   * `critical` ones, and all of these at four times.
   */
  readonly fullMs: number;
}

/** Sheds from 20 ms on. */
export const defaultShedRules: ShedRules = { calmMs: 20, fullMs: 100 };

/** All that the decision depends on. */
export interface ShedSituation {
  readonly delayMs: number;
  readonly priority: Priority;
  /** Until the call's deadline; `Infinity` without one. */
  readonly remainingMs: number;
  /** How long calls take here once they are begun. */
  readonly usualMs: number;
  /** Uniform in [0, 1). */
  readonly chance: number;
}

/** Why a call is shed; undefined: it is served. */
export type ShedReason = 'overloaded' | 'too_late' | undefined;

/** Between which delays the chance to be shed grows from none to all. */
const span: Readonly<Record<Priority, (rules: ShedRules) => readonly [number, number]>> = {
  sheddable: ({ calmMs, fullMs }) => [calmMs, fullMs],
  normal: ({ calmMs, fullMs }) => [2 * calmMs, 2 * fullMs],
  critical: ({ fullMs }) => [2 * fullMs, 4 * fullMs],
};

/**
 * Whether to refuse a call before work is done for it. Pure. A call that cannot be done by its deadline is refused at
 * any delay that makes it so: its answer would go to nobody. The others are shed by a chance that grows with the delay,
 * since a threshold would let all in and shut all out by turns.
 */
export function decideShed(situation: ShedSituation, rules: ShedRules): ShedReason {
  const { delayMs, remainingMs, usualMs } = situation;
  if (delayMs + usualMs > remainingMs && delayMs > 0) return 'too_late';
  const [from, to] = span[situation.priority](rules);
  return situation.chance < (delayMs - from) / (to - from) ? 'overloaded' : undefined;
}
