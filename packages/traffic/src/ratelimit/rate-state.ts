import type {
  ConcurrentCalls,
  FixedWindow,
  LeakyBucket,
  RateDecision,
  RateRule,
  SlidingWindow,
  TokenBucket,
} from './rate-rule.ts';

/** What is remembered of one key. Undefined: nothing, as before its first call. */
export type RateState =
  | { readonly algorithm: 'fixed_window'; readonly window: number; readonly used: number }
  | { readonly algorithm: 'sliding_window'; readonly slices: readonly Slice[] }
  | { readonly algorithm: 'token_bucket'; readonly tokens: number; readonly atMs: number }
  /** The moment when all that was admitted has left. */
  | { readonly algorithm: 'leaky_bucket'; readonly emptyAtMs: number }
  | { readonly algorithm: 'concurrency'; readonly held: number };

/** What was admitted in one slice of a sliding window. */
interface Slice {
  readonly at: number;
  readonly used: number;
}

/** A step's result. A refused call leaves the state as it was. */
export interface RateStep {
  readonly state: RateState | undefined;
  readonly decision: RateDecision;
}

type StateOf<A extends RateRule['algorithm']> = Extract<RateState, { algorithm: A }> | undefined;

/** Slices of a sliding window: what is admitted counts until the end of its slice has left, 1 % late at most. */
const slices = 100;
/** Sums of fractions are as exact as this, in milliseconds or calls. */
const rounding = 1e-6;

/** What one call of the given cost does to its key. Pure; the same for every store. */
export function step(state: RateState | undefined, cost: number, nowMs: number, rule: RateRule): RateStep {
  // A rule that has changed its algorithm starts anew.
  const known = state?.algorithm === rule.algorithm ? state : undefined;
  switch (rule.algorithm) {
    case 'fixed_window':
      return fixed(known as StateOf<'fixed_window'>, cost, nowMs, rule);
    case 'sliding_window':
      return sliding(known as StateOf<'sliding_window'>, cost, nowMs, rule);
    case 'token_bucket':
      return bucket(known as StateOf<'token_bucket'>, cost, nowMs, rule);
    case 'leaky_bucket':
      return leaky(known as StateOf<'leaky_bucket'>, cost, nowMs, rule);
    case 'concurrency':
      return concurrent(known as StateOf<'concurrency'>, cost, rule);
  }
}

/** The state after an admitted call of a `concurrency` rule has ended; others are not given back. */
export function released(state: RateState | undefined, cost: number): RateState | undefined {
  if (state?.algorithm !== 'concurrency') return state;
  const held = state.held - cost;
  return held > 0 ? { ...state, held } : undefined;
}

/** When a state says no more than none at all, and may be forgotten. */
export function forgettableAtMs(state: RateState, rule: RateRule): number {
  switch (state.algorithm) {
    case 'fixed_window':
      return rule.algorithm === 'concurrency' ? 0 : (state.window + 1) * rule.windowMs;
    case 'sliding_window': {
      const last = state.slices.at(-1);
      if (last === undefined || rule.algorithm === 'concurrency') return 0;
      return ((last.at + 1) * rule.windowMs) / slices + rule.windowMs;
    }
    case 'token_bucket': {
      if (rule.algorithm !== 'token_bucket') return 0;
      return state.atMs + ((burstOf(rule) - state.tokens) * rule.windowMs) / rule.limit;
    }
    case 'leaky_bucket':
      return state.emptyAtMs;
    case 'concurrency':
      return state.held > 0 ? Number.POSITIVE_INFINITY : 0;
  }
}

function fixed(state: StateOf<'fixed_window'>, cost: number, nowMs: number, rule: FixedWindow): RateStep {
  const { limit, windowMs } = rule;
  const window = Math.floor(nowMs / windowMs);
  const used = state?.window === window ? state.used : 0;
  const resetMs = (window + 1) * windowMs - nowMs;
  const admitted = used + cost <= limit;
  const after = admitted ? used + cost : used;
  return {
    state: admitted ? { algorithm: 'fixed_window', window, used: after } : state,
    decision: decision(
      rule,
      admitted,
      limit - after,
      cost > limit ? Number.POSITIVE_INFINITY : resetMs,
      resetMs,
    ),
  };
}

function sliding(
  state: StateOf<'sliding_window'>,
  cost: number,
  nowMs: number,
  rule: SlidingWindow,
): RateStep {
  const { limit, windowMs } = rule;
  const sliceMs = windowMs / slices;
  /** Milliseconds until what was admitted in a slice counts no more. */
  const leavesIn = ({ at }: Slice): number => (at + 1) * sliceMs + windowMs - nowMs;
  const counting = (state?.slices ?? []).filter((slice) => leavesIn(slice) > 0);
  const used = counting.reduce((sum, slice) => sum + slice.used, 0);
  const at = Math.floor(nowMs / sliceMs);
  if (used + cost > limit) {
    const last = counting.at(-1);
    const resetMs = last === undefined ? 0 : leavesIn(last);
    const retryAfterMs =
      cost > limit ? Number.POSITIVE_INFINITY : freedIn(counting, used + cost - limit, leavesIn);
    return { state, decision: decision(rule, false, limit - used, retryAfterMs, resetMs) };
  }
  const last = counting.at(-1);
  const kept = last?.at === at ? counting.slice(0, -1) : counting;
  const now: Slice = { at, used: (last?.at === at ? last.used : 0) + cost };
  return {
    state: { algorithm: 'sliding_window', slices: [...kept, now] },
    decision: decision(rule, true, limit - used - cost, 0, leavesIn(now)),
  };
}

function freedIn(counting: readonly Slice[], needed: number, leavesIn: (slice: Slice) => number): number {
  let freed = 0;
  for (const slice of counting) {
    freed += slice.used;
    if (freed >= needed) return leavesIn(slice);
  }
  return 0;
}

function bucket(state: StateOf<'token_bucket'>, cost: number, nowMs: number, rule: TokenBucket): RateStep {
  const burst = burstOf(rule);
  const perMs = rule.limit / rule.windowMs;
  const tokens = state === undefined ? burst : Math.min(burst, state.tokens + (nowMs - state.atMs) * perMs);
  const admitted = tokens + rounding >= cost;
  const left = admitted ? Math.max(0, tokens - cost) : tokens;
  const retryAfterMs = cost > burst ? Number.POSITIVE_INFINITY : (cost - tokens) / perMs;
  return {
    state: admitted ? { algorithm: 'token_bucket', tokens: left, atMs: nowMs } : state,
    decision: decision(rule, admitted, Math.floor(left + rounding), retryAfterMs, (burst - left) / perMs),
  };
}

function leaky(state: StateOf<'leaky_bucket'>, cost: number, nowMs: number, rule: LeakyBucket): RateStep {
  const { maxDelayMs = 0 } = rule;
  const eachMs = rule.windowMs / rule.limit;
  const spareMs = (burstOf(rule) - 1) * eachMs;
  const emptyAtMs = Math.max(state?.emptyAtMs ?? nowMs, nowMs);
  const waitMs = Math.max(0, emptyAtMs - nowMs + (cost - 1) * eachMs - spareMs);
  const admitted = waitMs <= maxDelayMs + rounding;
  const afterMs = admitted ? emptyAtMs + cost * eachMs : emptyAtMs;
  const never = (cost - 1) * eachMs > spareMs + maxDelayMs + rounding;
  const room = Math.floor((maxDelayMs + spareMs - (afterMs - nowMs)) / eachMs + 1 + rounding);
  const made = decision(
    rule,
    admitted,
    Math.max(0, room),
    never ? Number.POSITIVE_INFINITY : waitMs - maxDelayMs,
    afterMs - nowMs,
  );
  return {
    state: admitted ? { algorithm: 'leaky_bucket', emptyAtMs: afterMs } : state,
    decision: admitted && waitMs > rounding ? { ...made, delayMs: waitMs } : made,
  };
}

function concurrent(state: StateOf<'concurrency'>, cost: number, rule: ConcurrentCalls): RateStep {
  const held = state?.held ?? 0;
  const admitted = held + cost <= rule.limit;
  const after = admitted ? held + cost : held;
  return {
    state: admitted ? { algorithm: 'concurrency', held: after } : state,
    decision: decision(
      rule,
      admitted,
      rule.limit - after,
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ),
  };
}

function burstOf(rule: TokenBucket | LeakyBucket): number {
  return rule.burst ?? (rule.algorithm === 'token_bucket' ? rule.limit : 1);
}

function decision(
  { limit }: RateRule,
  admitted: boolean,
  remaining: number,
  retryAfterMs: number,
  resetMs: number,
): RateDecision {
  return { admitted, limit, remaining, retryAfterMs: admitted ? 0 : retryAfterMs, resetMs, delayMs: 0 };
}
