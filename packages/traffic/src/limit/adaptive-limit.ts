/** How an adaptive limit finds itself. Latencies in milliseconds. */
export interface AdaptiveRules {
  /** `gradient` compares latencies with their long-term value; `aimd` adds one until calls fail or take too long. */
  readonly algorithm: 'gradient' | 'aimd';
  readonly initial: number;
  readonly min: number;
  readonly max: number;
  /** gradient: how many times as slow as without a queue is no sign of overload yet. */
  readonly tolerance: number;
  /** gradient: calls after which the latency without a queue is measured anew; half the limit for the last tenth. */
  readonly window: number;
  /** gradient: share of each step that is taken. */
  readonly smoothing: number;
  /** aimd: what the limit is multiplied with at a sign of overload. */
  readonly backoff: number;
  /** aimd: a call that takes longer than this is such a sign. */
  readonly timeoutMs: number;
}

/** Starts with twenty calls, and takes half as slow again as a sign of overload. */
export const defaultAdaptiveRules: AdaptiveRules = {
  algorithm: 'gradient',
  initial: 20,
  min: 1,
  max: 1000,
  tolerance: 1.5,
  window: 1000,
  smoothing: 0.2,
  backoff: 0.9,
  timeoutMs: 1000,
};

/** How much the latency without a queue may seem to grow from window to window: a long overload must not look normal. */
const rise = 1.2;

/** What is known. The limit has fractions: whole calls are admitted below it. */
export interface AdaptiveState {
  readonly limit: number;
  /** Latency without a queue, as far as is known; 0 before the first call. */
  readonly baseMs: number;
  /** The lowest latency in this window; 0 before its first call. */
  readonly lowMs: number;
  /** Calls seen in this window. */
  readonly seen: number;
}

/** One call that has ended. */
export interface AdaptiveSample {
  readonly tookMs: number;
  /** How many were in flight when it started, itself included. */
  readonly inFlight: number;
  /** It was refused or timed out below: a sign of overload, whatever it took. */
  readonly dropped: boolean;
}

/** Nothing seen. */
export function initialLimit(rules: AdaptiveRules): AdaptiveState {
  return { limit: rules.initial, baseMs: 0, lowMs: 0, seen: 0 };
}

/**
 * The state after one call. Pure. Grows only while the limit is made use of: an idle service learns nothing of its
 * capacity. Sources: TCP Vegas and AIMD, in the form of Netflix' concurrency-limits (`GradientLimit`, `AIMDLimit`);
 * measuring without a queue as BBR does (`ProbeRTT`).
 */
export function step(state: AdaptiveState, sample: AdaptiveSample, rules: AdaptiveRules): AdaptiveState {
  return rules.algorithm === 'aimd' ? aimd(state, sample, rules) : gradient(state, sample, rules);
}

function aimd(state: AdaptiveState, sample: AdaptiveSample, rules: AdaptiveRules): AdaptiveState {
  if (sample.dropped || sample.tookMs > rules.timeoutMs)
    return { ...state, limit: within(state.limit * rules.backoff, rules) };
  if (sample.inFlight * 2 < state.limit) return state;
  // One more per limit's worth of calls: one each would double it at every round.
  return { ...state, limit: within(state.limit + 1 / state.limit, rules) };
}

function gradient(state: AdaptiveState, sample: AdaptiveSample, rules: AdaptiveRules): AdaptiveState {
  if (sample.dropped) return { ...state, limit: within(state.limit * rules.backoff, rules) };
  const tookMs = Math.max(sample.tookMs, 0.001);
  const lowMs = state.lowMs === 0 ? tookMs : Math.min(state.lowMs, tookMs);
  const whole = state.seen + 1 >= rules.window;
  const known = state.baseMs === 0 ? tookMs : state.baseMs;
  const baseMs = whole ? Math.min(lowMs, known * rise) : Math.min(known, tookMs);
  const seen = whole ? 0 : state.seen + 1;
  const next = { limit: state.limit, baseMs, lowMs: whole ? 0 : lowMs, seen };
  // What is seen while the queue drains says nothing of the limit.
  if (draining(state, rules)) return next;
  const slope = Math.max(0.5, Math.min(1, (rules.tolerance * baseMs) / tookMs));
  // Room for a queue of the square root of the limit: without it the limit could never grow.
  const target = state.limit * slope + Math.sqrt(state.limit);
  if (target > state.limit && sample.inFlight * 2 < state.limit) return next;
  return {
    ...next,
    limit: within(state.limit + (rules.smoothing * (target - state.limit)) / state.limit, rules),
  };
}

/** How many may be in flight now: half the limit while the latency without a queue is measured. */
export function allowed(state: AdaptiveState, rules: AdaptiveRules): number {
  return Math.floor(draining(state, rules) ? Math.max(rules.min, state.limit / 2) : state.limit);
}

/** A limit that is too high would make its own queue the usual latency; so the queue is let go now and then. */
function draining({ seen }: AdaptiveState, { algorithm, window }: AdaptiveRules): boolean {
  return algorithm === 'gradient' && seen >= 0.9 * window;
}

function within(limit: number, { min, max }: AdaptiveRules): number {
  return Math.max(min, Math.min(max, limit));
}
