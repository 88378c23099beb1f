import {
  type Call,
  type Classify,
  HeddleError,
  idempotency,
  type Layer,
  type Result,
  settle,
  tenantId,
  userId,
} from '@heddle/kernel';
import { checkOptions, delayMs, durationMs, present, wholeFrom } from '../options/check-options.ts';

/** What `cache` keeps and for how long. */
export interface CacheOptions<Req, Res> {
  readonly classify: Classify<Req, Res>;
  /** Equal keys have equal answers; undefined: this request is not cached. */
  readonly key: (req: Req, call: Call) => string | undefined;
  /** How long an answer is given without asking. */
  readonly ttlMs: number;
  /** How much longer it is given when asking has failed. Default 0: never. */
  readonly staleOnErrorMs?: number;
  /** Answers kept at most; the one that was not asked for longest goes. Default 1000. */
  readonly maxEntries?: number;
  /** True: the answer is the same for every caller. Default false: each tenant and user has his own. */
  readonly shared?: boolean;
  /** What makes copies of an answer; undefined: it cannot be kept (it streams). Default: answers may be shared. */
  readonly keep?: (res: Res) => (() => Res) | undefined;
  /** Hears of each answer from the cache. Must not throw. */
  readonly onHit?: (call: Call, hit: { readonly ageMs: number; readonly stale: boolean }) => void;
}

interface Entry<Res> {
  readonly value: () => Res;
  readonly madeAtMs: number;
}

const ruleOf = {
  classify: present,
  key: present,
  ttlMs: durationMs,
  staleOnErrorMs: delayMs,
  maxEntries: wholeFrom(1),
  shared: present,
  keep: present,
  onHit: present,
};

/**
 * Answers reads from what was answered before, and when asking fails, from what has grown stale since. Only for calls
 * without side effects, and only successes are kept. Stands above `retry`: a stale answer is for when all has failed.
 * `coalesce` below it makes one call of many that miss at the same time.
 */
export function cache<Req, Res>(options: CacheOptions<Req, Res>): Layer<Req, Res> {
  checkOptions('cache', options, ruleOf);
  const { classify, ttlMs, staleOnErrorMs = 0, maxEntries = 1000, keep = kept, onHit } = options;
  // In order of use: the first is the one that was not asked for longest.
  const entries = new Map<string, Entry<Res>>();

  const remember = (key: string, res: Res, nowMs: number): Res => {
    const value = keep(res);
    if (value === undefined) return res;
    entries.delete(key);
    entries.set(key, { value, madeAtMs: nowMs });
    for (const oldest of entries.keys()) {
      if (entries.size <= maxEntries) break;
      entries.delete(oldest);
    }
    return value();
  };

  return (next) => async (req, call) => {
    const key = call.get(idempotency) === 'no_side_effects' ? keyOf(options, req, call) : undefined;
    if (key === undefined) return next(req, call);
    const { clock } = call.runtime;
    const entry = entries.get(key);
    const ageMs = entry === undefined ? Number.POSITIVE_INFINITY : clock.nowMs() - entry.madeAtMs;
    if (entry !== undefined && ageMs < ttlMs) {
      entries.delete(key);
      entries.set(key, entry);
      onHit?.(call, { ageMs, stale: false });
      return entry.value();
    }
    const child = call.child();
    const result = await settle(next, req, child);
    const meaning = classify(req, result);
    const failed = meaning === 'failure' || meaning === 'retryable';
    if (failed && entry !== undefined && call.cancelled === undefined) {
      const staleMs = clock.nowMs() - entry.madeAtMs;
      if (staleMs < ttlMs + staleOnErrorMs) {
        if (child.outcome === undefined) child.cancel(replaced());
        onHit?.(call, { ageMs: staleMs, stale: true });
        return entry.value();
      }
    }
    return passOn(result, call, child, (value) =>
      meaning === 'success' ? remember(key, value, clock.nowMs()) : value,
    );
  };
}

function passOn<Res>(result: Result<Res>, call: Call, child: Call, kept: (value: Res) => Res): Res {
  if (!result.ok) throw result.error;
  call.endWith(child);
  return kept(result.value);
}

function keyOf<Req, Res>({ key, shared }: CacheOptions<Req, Res>, req: Req, call: Call): string | undefined {
  const own = key(req, call);
  if (own === undefined || shared === true) return own;
  // As JSON, so that no tenant or user can be named to look like another pair.
  return `${JSON.stringify([call.get(tenantId), call.get(userId)])}${own}`;
}

function kept<Res>(res: Res): () => Res {
  return () => res;
}

function replaced(): HeddleError {
  const message = 'an earlier answer is given instead of this one';
  return new HeddleError({ code: 'cancelled', reason: 'SUPERSEDED', message });
}
