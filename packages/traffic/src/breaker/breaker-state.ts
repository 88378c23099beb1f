import type { Meaning } from '@heddle/kernel';
import { type CallCounts, rowWith } from '../judge/call-counts.ts';
import { counted, emptyWindow, type FailureWindow, totals } from './failure-window.ts';

/** Opens when too large a share of the calls fails. */
export interface FailureRate {
  /** Above 0, up to 1. */
  readonly share: number;
  /** Fewer calls than this in the window say nothing. */
  readonly minCalls: number;
  readonly windowMs: number;
}

/** When a breaker opens and closes. */
export interface BreakerRules {
  /** Failures in a row that open it. */
  readonly consecutiveFailures: number;
  /** Undefined: failures in a row alone count. */
  readonly failureRate: FailureRate | undefined;
  /** How long it stays open before it lets a few calls try. */
  readonly openMs: number;
  /** Calls at a time that may try while it is half-open. */
  readonly probes: number;
  /** Of those, successes in a row that close it. */
  readonly successes: number;
}

/** Five failures in a row open it for 60 s; then one call at a time may try, and three successes close it. */
export const defaultBreakerRules: BreakerRules = {
  consecutiveFailures: 5,
  failureRate: undefined,
  openMs: 60_000,
  probes: 1,
  successes: 3,
};

/** `closed`: calls pass. `open`: none does. `half_open`: a few may try. */
export type BreakerMode = 'closed' | 'open' | 'half_open';

/** What a breaker knows. */
export interface BreakerState {
  readonly mode: BreakerMode;
  readonly sinceMs: number;
  /** Grows with every change of the mode: what becomes of a call that was admitted in another term says nothing. */
  readonly term: number;
  /** In a row, while closed. */
  readonly failures: number;
  /** In a row, while half-open. */
  readonly successes: number;
  /** Calls that try now and have not answered. */
  readonly probing: number;
  readonly window: FailureWindow;
}

/** What can happen. `term` is the one in which the call was admitted. */
export type BreakerInput =
  | { readonly kind: 'call' }
  /** A call's answer has begun: it no longer holds a place among the probes. */
  | { readonly kind: 'answered'; readonly term: number }
  /** A call has ended. `answered`: that was stated before. */
  | {
      readonly kind: 'ended';
      readonly term: number;
      readonly meaning: Meaning;
      readonly answered: boolean;
    }
  | { readonly kind: 'time' }
  /** Calls that another process has made. They count like one's own. */
  | { readonly kind: 'others'; readonly counts: CallCounts }
  /** Somebody else who calls the same target has found this out. */
  | { readonly kind: 'told'; readonly to: 'open' | 'closed'; readonly why: string };

/** What follows. `admitted` or `refused` answers each `call`, and comes last. */
export type BreakerEffect =
  | {
      readonly kind: 'changed';
      readonly from: BreakerMode;
      readonly to: BreakerMode;
      /** For people. */
      readonly why: string;
    }
  | { readonly kind: 'admitted' }
  /** `afterMs`: when it is worth asking again. */
  | { readonly kind: 'refused'; readonly afterMs: number };

/** A step's result. */
export interface BreakerStep {
  readonly state: BreakerState;
  readonly effects: readonly BreakerEffect[];
}

/** A breaker that has seen nothing: closed. */
export function closedBreaker(nowMs: number): BreakerState {
  return {
    mode: 'closed',
    sinceMs: nowMs,
    term: 0,
    failures: 0,
    successes: 0,
    probing: 0,
    window: emptyWindow,
  };
}

const none: readonly BreakerEffect[] = [];
const admitted: readonly BreakerEffect[] = [{ kind: 'admitted' }];

/** What one input does. Pure. */
export function step(
  state: BreakerState,
  input: BreakerInput,
  nowMs: number,
  rules: BreakerRules,
): BreakerStep {
  switch (input.kind) {
    case 'time':
      return wake(state, nowMs, rules);
    case 'told':
      if (state.mode === input.to) return { state, effects: none };
      return change(state, input.to, nowMs, input.why);
    case 'others':
      return ofOthers(state, input.counts, nowMs, rules);
    case 'call':
      return called(state, nowMs, rules);
    case 'answered':
      if (input.term !== state.term || state.mode !== 'half_open') return { state, effects: none };
      return { state: { ...state, probing: state.probing - 1 }, effects: none };
    case 'ended':
      if (input.term !== state.term) return { state, effects: none };
      return state.mode === 'half_open'
        ? probed(
            input.answered ? state : { ...state, probing: state.probing - 1 },
            input.meaning,
            nowMs,
            rules,
          )
        : ended(state, input.meaning, nowMs, rules);
  }
}

/**
 * True for what becomes of nearly every call: a success, while a breaker is closed and has no failure to forget. For
 * those who want to save the step, which would change nothing.
 */
export function isNoNews(state: BreakerState, meaning: Meaning, rules: BreakerRules): boolean {
  const calm = state.mode === 'closed' && state.failures === 0;
  return calm && meaning === 'success' && rules.failureRate === undefined;
}

/** Half-open as soon as it has been open long enough, whether a call or a timer notices. */
function wake(state: BreakerState, nowMs: number, rules: BreakerRules): BreakerStep {
  if (state.mode !== 'open' || nowMs - state.sinceMs < rules.openMs) return { state, effects: none };
  return change(state, 'half_open', nowMs, `${rules.openMs} ms have passed`);
}

function called(state: BreakerState, nowMs: number, rules: BreakerRules): BreakerStep {
  if (state.mode === 'closed') return { state, effects: admitted };
  const woken = wake(state, nowMs, rules);
  const now = woken.state;
  if (now.mode === 'open') {
    const afterMs = now.sinceMs + rules.openMs - nowMs;
    return { state: now, effects: [...woken.effects, { kind: 'refused', afterMs }] };
  }
  if (now.probing >= rules.probes)
    return { state: now, effects: [...woken.effects, { kind: 'refused', afterMs: 0 }] };
  return { state: { ...now, probing: now.probing + 1 }, effects: [...woken.effects, ...admitted] };
}

function ended(state: BreakerState, meaning: Meaning, nowMs: number, rules: BreakerRules): BreakerStep {
  if (meaning === 'ignored') return { state, effects: none };
  const failed = meaning !== 'success';
  const { failureRate } = rules;
  const failures = failed ? state.failures + 1 : 0;
  if (failureRate === undefined && failures === state.failures) return { state, effects: none };
  const window =
    failureRate === undefined
      ? state.window
      : counted(state.window, 1, failed ? 1 : 0, nowMs, failureRate.windowMs);
  const next = { ...state, failures, window };
  return failed ? judge(next, nowMs, rules, '') : { state: next, effects: none };
}

/** Opens a closed one that has had too many failures. `whose` is for people. */
function judge(state: BreakerState, nowMs: number, rules: BreakerRules, whose: string): BreakerStep {
  const { failures, window } = state;
  const { failureRate } = rules;
  if (failures >= rules.consecutiveFailures)
    return change(state, 'open', nowMs, `${failures} failures in a row${whose}`);
  if (failureRate === undefined) return { state, effects: none };
  const total = totals(window, nowMs, failureRate.windowMs);
  if (total.calls < failureRate.minCalls || total.failures < failureRate.share * total.calls)
    return { state, effects: none };
  return change(state, 'open', nowMs, `${total.failures} of ${total.calls} calls failed${whose}`);
}

function ofOthers(state: BreakerState, counts: CallCounts, nowMs: number, rules: BreakerRules): BreakerStep {
  if (state.mode !== 'closed') return { state, effects: none };
  const { failureRate } = rules;
  const window =
    failureRate === undefined
      ? state.window
      : counted(state.window, counts.calls, counts.failures, nowMs, failureRate.windowMs);
  const next = { ...state, failures: rowWith(state.failures, counts), window };
  if (counts.failures === 0) return { state: next, effects: none };
  return judge(next, nowMs, rules, ', of all who call it');
}

function probed(state: BreakerState, meaning: Meaning, nowMs: number, rules: BreakerRules): BreakerStep {
  if (meaning === 'ignored') return { state, effects: none };
  if (meaning !== 'success') return change(state, 'open', nowMs, 'a trying call failed');
  const successes = state.successes + 1;
  if (successes >= rules.successes)
    return change(state, 'closed', nowMs, `${successes} trying calls succeeded`);
  return { state: { ...state, successes }, effects: none };
}

function change(state: BreakerState, to: BreakerMode, nowMs: number, why: string): BreakerStep {
  return {
    state: { ...closedBreaker(nowMs), mode: to, term: state.term + 1 },
    effects: [{ kind: 'changed', from: state.mode, to, why }],
  };
}
