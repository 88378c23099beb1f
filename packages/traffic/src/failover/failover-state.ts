import type { Meaning } from '@heddle/kernel';

/** When traffic leaves the primary, and how it returns. */
export interface FailoverRules {
  /** Failures of the primary in a row that move all traffic to the backup. */
  readonly failures: number;
  /** How long all of it stays there before a few calls try the primary. */
  readonly awayMs: number;
  /** Successful trying calls, one at a time, before a share of the traffic returns. */
  readonly probes: number;
  /** The shares in which it returns, each for `stepMs`; the last is 1. */
  readonly steps: readonly number[];
  /** How long each step lasts at least. */
  readonly stepMs: number;
  /** Failures within a step, as a share of its calls to the primary, that send all back to the backup. */
  readonly relapseShare: number;
}

/** Five failures; back after 30 s by three single calls, then 10 %, 50 % and 100 %, 10 s each. */
export const defaultFailoverRules: FailoverRules = {
  failures: 5,
  awayMs: 30_000,
  probes: 3,
  steps: [0.1, 0.5, 1],
  stepMs: 10_000,
  relapseShare: 0.2,
};

/** `primary`: all calls go there. `backup`: none. `probing`: one at a time. `returning`: a share that grows. */
export type FailoverMode = 'primary' | 'backup' | 'probing' | 'returning';

/** What a failover knows. */
export interface FailoverState {
  readonly mode: FailoverMode;
  readonly sinceMs: number;
  /** Grows with every change, of the mode or the step: results of calls from another term say nothing. */
  readonly term: number;
  /** Which of the steps, while returning. */
  readonly step: number;
  /** In a row, on the primary. */
  readonly failures: number;
  readonly successes: number;
  /** A trying call is on its way. */
  readonly probing: boolean;
}

/** What can happen. `chance` is uniform in [0, 1). `health`: somebody who watches the primary (a breaker) says so. */
export type FailoverInput =
  | { readonly kind: 'call'; readonly chance: number }
  | { readonly kind: 'ended'; readonly term: number; readonly meaning: Meaning }
  | { readonly kind: 'health'; readonly healthy: boolean };

/** What follows. `route` answers each `call`, and comes last. */
export type FailoverEffect =
  | {
      readonly kind: 'changed';
      readonly from: string;
      readonly to: string;
      /** For people. */
      readonly why: string;
    }
  | { readonly kind: 'route'; readonly to: 'primary' | 'backup' };

/** A step's result. */
export interface FailoverStep {
  readonly state: FailoverState;
  readonly effects: readonly FailoverEffect[];
}

/** All traffic on the primary. */
export function onPrimary(nowMs: number): FailoverState {
  return {
    mode: 'primary',
    sinceMs: nowMs,
    term: 0,
    step: 0,
    failures: 0,
    successes: 0,
    probing: false,
  };
}

const none: readonly FailoverEffect[] = [];
const toPrimary: readonly FailoverEffect[] = [{ kind: 'route', to: 'primary' }];
const toBackup: readonly FailoverEffect[] = [{ kind: 'route', to: 'backup' }];

/** What one input does. Pure. */
export function step(
  state: FailoverState,
  input: FailoverInput,
  nowMs: number,
  rules: FailoverRules,
): FailoverStep {
  if (input.kind === 'health') {
    if (input.healthy || state.mode === 'backup') return { state, effects: none };
    return change(state, { mode: 'backup', step: 0 }, nowMs, rules, 'the primary is unhealthy');
  }
  if (input.kind === 'call') return called(state, input.chance, nowMs, rules);
  if (input.term !== state.term || state.mode === 'backup') return { state, effects: none };
  const { meaning } = input;
  const idle = state.probing ? { ...state, probing: false } : state;
  if (meaning === 'ignored') return { state: idle, effects: none };
  return meaning === 'success' ? succeeded(idle, nowMs, rules) : failed(idle, nowMs, rules);
}

function called(state: FailoverState, chance: number, nowMs: number, rules: FailoverRules): FailoverStep {
  if (state.mode === 'primary') return { state, effects: toPrimary };
  if (state.mode === 'backup') {
    if (nowMs - state.sinceMs < rules.awayMs) return { state, effects: toBackup };
    const why = `${rules.awayMs} ms have passed`;
    const woken = change(state, { mode: 'probing', step: 0 }, nowMs, rules, why);
    return {
      state: { ...woken.state, probing: true },
      effects: [...woken.effects, ...toPrimary],
    };
  }
  if (state.mode === 'probing') {
    if (state.probing) return { state, effects: toBackup };
    return { state: { ...state, probing: true }, effects: toPrimary };
  }
  return { state, effects: chance < (rules.steps[state.step] ?? 1) ? toPrimary : toBackup };
}

function succeeded(state: FailoverState, nowMs: number, rules: FailoverRules): FailoverStep {
  if (state.mode === 'primary') {
    if (state.failures === 0) return { state, effects: none };
    return { state: { ...state, failures: 0 }, effects: none };
  }
  const successes = state.successes + 1;
  if (state.mode === 'probing') {
    if (successes < rules.probes) return { state: { ...state, successes }, effects: none };
    return change(state, { mode: 'returning', step: 0 }, nowMs, rules, `${successes} trying calls succeeded`);
  }
  if (nowMs - state.sinceMs < rules.stepMs) return { state: { ...state, successes }, effects: none };
  const next = state.step + 1;
  const to =
    next < rules.steps.length
      ? { mode: 'returning' as const, step: next }
      : { mode: 'primary' as const, step: 0 };
  return change(state, to, nowMs, rules, `${rules.stepMs} ms went well`);
}

function failed(state: FailoverState, nowMs: number, rules: FailoverRules): FailoverStep {
  const failures = state.failures + 1;
  const backup = { mode: 'backup' as const, step: 0 };
  if (state.mode === 'probing') return change(state, backup, nowMs, rules, 'a trying call failed');
  if (state.mode === 'primary') {
    if (failures < rules.failures) return { state: { ...state, failures }, effects: none };
    return change(state, backup, nowMs, rules, `${failures} failures in a row`);
  }
  const calls = failures + state.successes;
  // A single failure among the first few calls of a step says nothing yet.
  if (failures >= 2 && failures > rules.relapseShare * calls)
    return change(state, backup, nowMs, rules, `${failures} of ${calls} calls failed on the way back`);
  return { state: { ...state, failures }, effects: none };
}

function change(
  state: FailoverState,
  to: { readonly mode: FailoverMode; readonly step: number },
  nowMs: number,
  rules: FailoverRules,
  why: string,
): FailoverStep {
  const next = { ...onPrimary(nowMs), ...to, term: state.term + 1 };
  const effect = { kind: 'changed' as const, from: described(state, rules), to: described(next, rules), why };
  return { state: next, effects: [effect] };
}

function described({ mode, step: at }: FailoverState, { steps }: FailoverRules): string {
  return mode === 'returning' ? `returning ${Math.round((steps[at] ?? 1) * 100)} %` : mode;
}
