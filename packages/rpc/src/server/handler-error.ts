import { type Call, HeddleError } from '@heddle/kernel';

/**
 * What a handler threw, as the client may see it: it counts as sent, since a handler has run, whatever an error from
 * further down says of its own request. A mistake in code is logged here and hidden from the client.
 */
export function thrownByHandler(thrown: unknown, call: Call, method: string): HeddleError {
  const error = HeddleError.from(thrown);
  if (error.reason === 'UNEXPECTED') {
    call.runtime.log('error', 'a handler failed unexpectedly', { method, error: thrown });
    const message = `the handler of ${method} failed unexpectedly; its log says why`;
    return new HeddleError({ code: 'unknown', reason: 'UNEXPECTED', message, cause: thrown });
  }
  return error.sent ? error : error.with({ sent: true });
}
