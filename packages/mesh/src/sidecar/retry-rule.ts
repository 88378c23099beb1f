import { idempotency, type Layer } from '@heddle/kernel';
import { classifyByWords, fromKept, KeptBody } from '@heddle/proxy/layers';
import { retry, RetryBudget, type RetryOptions } from '@heddle/traffic';
import { type HttpRequest, type HttpResponse, replayHttp, retryAfterMs } from '@heddle/wire';
import type { RetryRules } from '../model/index.ts';

/** As the control plane writes it where nobody has said anything: `defaultRetry` of the translation. */
const usual: RetryRules = {
  retries: 2,
  attemptTimeoutMs: undefined,
  on: ['connect-failure', 'refused-stream', 'unavailable', 'cancelled'],
  backoffMs: undefined,
};

/** What of a request is kept to be sent again. */
export const keptBytes = 65_536;

/**
 * Tries again what failed as the rule names it. Whoever writes a rule says thereby that the requests may be sent twice;
 * where nobody has written one, only that is tried again which does no harm.
 */
export function retryRule(rules: RetryRules, budget: RetryBudget): Layer<HttpRequest, HttpResponse> {
  const isWritten = JSON.stringify(rules) !== JSON.stringify(usual);
  const { retries, attemptTimeoutMs, backoffMs } = rules;
  const options: RetryOptions<HttpRequest, HttpResponse> = {
    classify: classifyByWords(rules.on),
    replay: replayable,
    budget,
    attempts: retries + 1,
    pushbackMs: retryAfterMs,
    ...(attemptTimeoutMs !== undefined && attemptTimeoutMs > 0 && { attemptTimeoutMs }),
    ...(backoffMs !== undefined && { backoff: { baseMs: backoffMs, maxMs: backoffMs * 10 } }),
  };
  const repeated = retry(options);
  return (next) => {
    const service = repeated(fromKept(next));
    if (!isWritten) return service;
    return (req, call) => {
      call.set(idempotency, 'idempotent');
      return service(req, call);
    };
  };
}

/** As many as the rules allow: an operator who wants fewer in all says so by a budget of his own. */
export function unbounded(clock: ConstructorParameters<typeof RetryBudget>[0]): RetryBudget {
  return new RetryBudget(clock, { ratio: 1000, floorPerSecond: 1_000_000 });
}

function replayable(req: HttpRequest): HttpRequest | undefined {
  if (req.body instanceof KeptBody) return req.body.repeatable ? req : undefined;
  return replayHttp(req);
}
