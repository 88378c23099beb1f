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
export function settle<Req, Res>(service: Service<Req, Res>, req: Req, call: Call): Promise<Result<Res>> {
  return settleThen(service, req, call, asItIs);
}

/** As `settle`, but rejects with the error: for callers that only want the value. */
export function perform<Req, Res>(service: Service<Req, Res>, req: Req, call: Call): Promise<Res> {
  return settleThen(service, req, call, valueOf);
}

/**
 * As `settle`, and goes on with `then`: resolves with what that gives, rejects with what it throws. For layers that
 * stand in the way of every call, which save a promise and an `await` by it.
 */
export function settleThen<Req, Res, Out>(
  service: Service<Req, Res>,
  req: Req,
  call: Call,
  then: (result: Result<Res>) => Out | Promise<Out>,
): Promise<Out> {
  let pending: Promise<Res>;
  try {
    pending = service(req, call);
  } catch (thrown) {
    // No service should; but whoever made the call has to end it.
    pending = Promise.reject(HeddleError.from(thrown));
  }
  return pending.then(
    (value) => {
      if (!call.endDeferred) call.end();
      return then({ ok: true, value });
    },
    (thrown: unknown) => {
      const error = HeddleError.from(thrown);
      call.end(error);
      return then({ ok: false, error });
    },
  );
}

/** The value, or throws the error. */
export function valueOf<Res>(result: Result<Res>): Res {
  if (!result.ok) throw result.error;
  return result.value;
}

function asItIs<Res>(result: Result<Res>): Result<Res> {
  return result;
}
