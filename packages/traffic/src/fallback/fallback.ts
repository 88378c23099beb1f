import { type Classify, HeddleError, type Layer, type Result, type Service, settle } from '@heddle/kernel';

/** What `fallback` needs to know. */
export interface FallbackOptions<Req, Res> {
  readonly classify: Classify<Req, Res>;
  /** Answers instead: from a default, a cache, another service. What it throws is passed on with its cause. */
  readonly to: Service<Req, Res>;
  /** Hears of each call that was answered by the fallback, with what it replaces. Must not throw. */
  readonly onFallback?: (req: Req, result: Result<Res>) => void;
}

/**
 * Another answer where the service has failed, retries and all: stands above `retry` and `breaker`. What the caller has
 * done wrong is an answer too and is passed on, and so is a failure after which the caller has gone.
 * `to` runs on the same call: what is left of the deadline is its deadline.
 */
export function fallback<Req, Res>(options: FallbackOptions<Req, Res>): Layer<Req, Res> {
  const { classify, to, onFallback } = options;
  return (next) => async (req, call) => {
    // A child, so that a response that is given up can be cancelled without the call.
    const child = call.child();
    const result = await settle(next, req, child);
    const meaning = classify(req, result);
    const failed = meaning === 'failure' || meaning === 'retryable';
    if (!failed || call.cancelled !== undefined) {
      if (!result.ok) throw result.error;
      call.endWith(child);
      return result.value;
    }
    if (child.outcome === undefined) child.cancel(replaced());
    onFallback?.(req, result);
    return to(req, call);
  };
}

function replaced(): HeddleError {
  const message = 'the fallback answers instead of this response';
  return new HeddleError({ code: 'cancelled', reason: 'SUPERSEDED', message });
}
