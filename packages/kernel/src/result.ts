import type { Call } from './call.ts';
import { HeddleError } from './error.ts';
import type { Service } from './service.ts';

/** How a service's promise settled, as a value. */
export type Result<Res> =
  | { readonly ok: true; readonly value: Res }
  | { readonly ok: false; readonly error: HeddleError };

/**
 * What a result means to retry, breaker, outlier ejection and metrics alike.
 * - `success`: the upstream did its work, whatever it answered;
 * - `retryable`: it failed, and another instance or a later moment may do better;
 * - `failure`: it failed, and would fail again;
 * - `ignored`: it says nothing about the upstream (the caller went away, a local limit refused).
 */
export type Meaning = 'success' | 'retryable' | 'failure' | 'ignored';

/** Says what a result means. One for each protocol; every layer of a stack shares it. Must not throw. */
export type Classify<Req, Res> = (req: Req, result: Result<Res>) => Meaning;

/**
 * Gives the request to send again, or undefined when it cannot be (its body has been consumed).
 * It says what is possible; whether it is *allowed* is for the method's contract (see `idempotent`).
 */
export type Replay<Req> = (req: Req) => Req | undefined;

/**
 * The meaning of errors by code, for protocols whose answers are all successes.
 * Only `unavailable` invites another try. `resource_exhausted` does too, where the request was not sent on.
 */
export function classifyErrors(_req: unknown, result: Result<unknown>): Meaning {
  if (result.ok) return 'success';
  switch (result.error.code) {
    case 'cancelled':
      return 'ignored';
    case 'unavailable':
      return 'retryable';
    case 'resource_exhausted':
      return result.error.sent ? 'failure' : 'retryable';
    case 'deadline_exceeded':
    case 'unknown':
    case 'internal':
    case 'data_loss':
    case 'unimplemented':
      return 'failure';
    case 'invalid_argument':
    case 'not_found':
    case 'already_exists':
    case 'permission_denied':
    case 'failed_precondition':
    case 'aborted':
    case 'out_of_range':
    case 'unauthenticated':
      return 'success';
  }
}

/**
 * Calls `service` and ends `call` with what came of it, unless the service deferred the end to its body.
 * Never rejects. This is how every caller that made a call (an edge, a retry, a probe) runs it.
 */
export async function settle<Req, Res>(
  service: Service<Req, Res>,
  req: Req,
  call: Call,
): Promise<Result<Res>> {
  try {
    const value = await service(req, call);
    if (!call.endDeferred) call.end();
    return { ok: true, value };
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    call.end(error);
    return { ok: false, error };
  }
}

/** As `settle`, but rejects with the error: for callers that only want the value. */
export async function perform<Req, Res>(service: Service<Req, Res>, req: Req, call: Call): Promise<Res> {
  try {
    const value = await service(req, call);
    if (!call.endDeferred) call.end();
    return value;
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    call.end(error);
    throw error;
  }
}
