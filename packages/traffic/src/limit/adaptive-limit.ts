/** How an adaptive limit finds itself. Latencies in milliseconds. */
export interface AdaptiveRules {
  /** `gradient` compares latencies with their long-term value; `aimd` adds one until calls fail or take too long. */
  readonly algorithm: 'gradient' | 'aimd';
  readonly initial: number;
  readonly min: number;
  readonly max: number;
  /** gradient: how much slower than usual is no sign of overload yet. */
  readonly tolerance: number;
  /** gradient: calls over which "usual" is averaged. */
  readonly longWindow: number;
  /** gradient: share of each step that is taken. */
  readonly smoothing: number;
  /** aimd: what the limit is multiplied with at a sign of overload. */
  readonly backoff: number;
  /** aimd: a call that takes longer than this is such a sign. */
  readonly timeoutMs: number;
}

/** As the defaults of Netflix' concurrency-limits, with a tighter tolerance. */
export const defaultAdaptiveRules: AdaptiveRules = {
  algorithm: 'gradient',
  initial: 20,
  min: 1,
  max: 1000,
  tolerance: 1.5,
  longWindow: 600,
  smoothing: 0.2,
  backoff: 0.9,
  timeoutMs: 1000,
};

/** What is known. The limit has fractions: whole calls are admitted below it. */
export interface AdaptiveState {
  readonly limit: number;
  /** Usual latency; 0 before the first call. */
  readonly longMs: number;
  /** Calls seen, up to the window. */
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
  return { limit: rules.initial, longMs: 0, seen: 0 };
}

/**
 * The state after one call. Pure. Grows only while the limit is made use of: an idle service learns nothing of its
 * capacity. Sources: TCP Vegas and AIMD, in the form of Netflix' concurrency-limits (`Gradient2Limit`, `AIMDLimit`).
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
  const seen = Math.min(state.seen + 1, rules.longWindow);
  // The usual follows quickly at first, then slowly; it falls at once where it has been held up by an overload.
  const moved = state.longMs + (tookMs - state.longMs) / seen;
  const longMs = moved > 2 * tookMs ? moved * 0.95 : moved;
  if (sample.inFlight * 2 < state.limit) return { ...state, longMs, seen };
  const slope = Math.max(0.5, Math.min(1, (rules.tolerance * longMs) / tookMs));
  // Room for a queue of the square root of the limit: without it the limit could never grow.
  const target = state.limit * slope + Math.sqrt(state.limit);
  const smoothed = state.limit + (rules.smoothing * (target - state.limit)) / state.limit;
  return { limit: within(smoothed, rules), longMs, seen };
}

function within(limit: number, { min, max }: AdaptiveRules): number {
  return Math.max(min, Math.min(max, limit));
}
