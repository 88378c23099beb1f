import { type Call, type CallKey, callKey, HeddleError, type Layer, sleep } from '@heddle/kernel';
import { checkOptions, durationMs, present } from '../options/check-options.ts';
import type { RateDecision } from './rate-rule.ts';
import type { RateAsk, RateStore, RateVerdict } from './rate-store.ts';
import type { RateLimits } from './tiers.ts';

/** The decision that allows least, set on each call that was asked for: an edge makes its `RateLimit` headers of it. */
export const rateDecision: CallKey<RateDecision | undefined> = callKey<RateDecision | undefined>(
  'rate-limit',
  undefined,
);

/** What to do when the store cannot be asked. */
export type StoreFailure = 'open' | 'closed' | 'local';

/** What `rateLimit` needs to know. */
export interface RateLimitOptions<Req> {
  readonly store: RateStore;
  /** What the call counts against; empty: nothing. `byTier` makes one. */
  readonly limits: RateLimits<Req>;
  /** When the store cannot be asked: let all through, none, or decide by `local`. Default `local` where given, else `closed`. */
  readonly onStoreFailure?: StoreFailure;
  /** The same limits within this process, for `local`. */
  readonly local?: RateStore;
  /** How long the store may take. Default 250. */
  readonly storeTimeoutMs?: number;
  /** Hears of every verdict. Must not throw. `failed`: why the store could not be asked. */
  readonly onVerdict?: (call: Call, verdict: RateVerdict, failed: HeddleError | undefined) => void;
}

const ruleOf = {
  store: present,
  limits: present,
  local: present,
  onVerdict: present,
  storeTimeoutMs: durationMs,
  onStoreFailure: {
    expected: '"open", "closed" or "local"',
    holds: (value: unknown): boolean => value === 'open' || value === 'closed' || value === 'local',
  },
};

/**
 * Admits calls within their limits, and refuses the others with `resource_exhausted` / `RATE_LIMITED`, `sent: false`;
 * the detail `heddle.RateLimit` holds the decision. A leaky bucket with a queue makes calls wait here. What is held
 * under a `concurrency` rule is given back at the call's end.
 */
export function rateLimit<Req, Res>(options: RateLimitOptions<Req>): Layer<Req, Res> {
  checkOptions('rate limit', options, ruleOf);
  if (options.onStoreFailure === 'local' && options.local === undefined)
    checkOptions('rate limit', { local: null }, { local: { expected: 'a store', holds: () => false } });
  const { store, limits, onVerdict } = options;
  return (next) => {
    const later = async (delayMs: number, req: Req, call: Call): Promise<Res> => {
      await turn(call, delayMs);
      return next(req, call);
    };
    const goOn = (verdict: RateVerdict, req: Req, call: Call): Promise<Res> => {
      const tightest = tightestOf(verdict.decisions);
      if (tightest !== undefined) call.set(rateDecision, tightest);
      if (!verdict.admitted) return Promise.reject(limited(tightest));
      const delayMs = longestDelayMs(verdict.decisions);
      return delayMs > 0 ? later(delayMs, req, call) : next(req, call);
    };
    return (req, call) => {
      const asks = limits(req, call);
      if (asks.length === 0) return next(req, call);
      const taken = store.take(asks);
      if (taken instanceof Promise)
        return asked(options, taken, asks, call).then((verdict) => goOn(verdict, req, call));
      // A store in this process answers at once: there is nothing to wait for.
      const verdict = held(store, taken, asks, call);
      onVerdict?.(call, verdict, undefined);
      return goOn(verdict, req, call);
    };
  };
}

function longestDelayMs(decisions: readonly RateDecision[]): number {
  let longest = 0;
  for (const { delayMs } of decisions) if (delayMs > longest) longest = delayMs;
  return longest;
}

/** Gives back at the call's end what it holds of the store. */
function held(store: RateStore, verdict: RateVerdict, asks: readonly RateAsk[], call: Call): RateVerdict {
  if (verdict.admitted && asks.some(({ rule }) => rule.algorithm === 'concurrency'))
    call.onEnd(() => giveBack(store, asks));
  return verdict;
}

function giveBack(store: RateStore, asks: readonly RateAsk[]): void {
  // A store that cannot be reached now lets the place lapse by itself.
  void Promise.resolve(store.release(asks)).catch(() => undefined);
}

/** What the store says, or what is to be done when it says nothing in time. */
async function asked<Req>(
  options: RateLimitOptions<Req>,
  taken: Promise<RateVerdict>,
  asks: readonly RateAsk[],
  call: Call,
): Promise<RateVerdict> {
  const { store, local, onVerdict, storeTimeoutMs = 250 } = options;
  const { onStoreFailure = local === undefined ? 'closed' : 'local' } = options;
  const answer = await inTime(taken, call, storeTimeoutMs);
  if (!(answer instanceof HeddleError)) {
    onVerdict?.(call, answer, undefined);
    return held(store, answer, asks, call);
  }
  // An answer that comes after all may hold a place that nobody uses.
  void taken.then(({ admitted }) => admitted && giveBack(store, asks)).catch(() => undefined);
  const verdict =
    onStoreFailure === 'local' && local !== undefined
      ? held(local, await local.take(asks), asks, call)
      : { admitted: onStoreFailure === 'open', decisions: [] };
  onVerdict?.(call, verdict, answer);
  return verdict;
}

/** The store's answer, or why there is none. Rejects when the call is given up. */
function inTime(
  taken: Promise<RateVerdict>,
  call: Call,
  timeoutMs: number,
): Promise<RateVerdict | HeddleError> {
  return new Promise((resolve, reject) => {
    const timer = call.runtime.timers.after(timeoutMs, () => settled(storeLate(timeoutMs)));
    const stopListening = call.onCancel((error) => {
      timer.cancel();
      reject(error.sent ? error.with({ sent: false }) : error);
    });
    const settled = (answer: RateVerdict | HeddleError): void => {
      timer.cancel();
      stopListening();
      resolve(answer);
    };
    taken.then(settled, (thrown: unknown) => settled(HeddleError.from(thrown)));
  });
}

/** A queue's place in time. Who leaves it has not been sent. */
async function turn(call: Call, delayMs: number): Promise<void> {
  try {
    await sleep(call.runtime.timers, delayMs, call);
  } catch (thrown) {
    throw HeddleError.from(thrown).with({ sent: false });
  }
}

/** The refusal that lasts longest, else the admission that leaves least. */
function tightestOf(decisions: readonly RateDecision[]): RateDecision | undefined {
  if (decisions.length < 2) return decisions[0];
  const refusals = decisions.filter(({ admitted }) => !admitted);
  return (refusals.length > 0 ? refusals : decisions).reduce<RateDecision | undefined>((tightest, each) => {
    if (tightest === undefined) return each;
    const tighter = each.admitted
      ? each.remaining / each.limit < tightest.remaining / tightest.limit
      : each.retryAfterMs > tightest.retryAfterMs;
    return tighter ? each : tightest;
  }, undefined);
}

function limited(decision: RateDecision | undefined): HeddleError {
  const message =
    decision === undefined
      ? 'the rate limit cannot be asked, and lets nobody through meanwhile'
      : `more than ${decision.limit} calls: ${whenOf(decision)}`;
  return new HeddleError({
    code: 'resource_exhausted',
    reason: 'RATE_LIMITED',
    message,
    sent: false,
    details: decision === undefined ? [] : [{ type: 'heddle.RateLimit', value: decision }],
  });
}

function whenOf({ retryAfterMs }: RateDecision): string {
  return Number.isFinite(retryAfterMs)
    ? `again in ${Math.ceil(retryAfterMs)} ms`
    : 'not to be said when again';
}

function storeLate(timeoutMs: number): HeddleError {
  const message = `the rate limit's store did not answer within ${timeoutMs} ms`;
  return new HeddleError({ code: 'unavailable', reason: 'STORE_LATE', message, sent: false });
}
