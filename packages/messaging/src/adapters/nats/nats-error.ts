import { type Code, HeddleError } from '@heddle/kernel';
import { JetStreamApiError } from '@nats-io/jetstream';

/** Error numbers of JetStream. Source: nats-server, `errors.json`. */
export const apiCodes = { wrongLastSequence: 10071, streamNotFound: 10059, messageNotFound: 10037 } as const;

/** True for an error that JetStream gave this number. */
export function hasApiCode(thrown: unknown, code: number): boolean {
  return thrown instanceof JetStreamApiError && thrown.code === code;
}

/** Where an error of the client becomes one of ours. */
export function natsError(thrown: unknown): HeddleError {
  if (thrown instanceof HeddleError) return thrown;
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  const make = (code: Code, reason: string, sent = true): HeddleError =>
    new HeddleError({ code, reason, message: `NATS: ${cause.message}`, cause, sent });
  if (cause instanceof JetStreamApiError) {
    if (cause.status === 503) return make('unavailable', 'NATS_NOT_READY', false);
    return make('internal', `NATS_${cause.code}`);
  }
  switch (cause.name) {
    case 'TimeoutError':
      return make('deadline_exceeded', 'NO_ANSWER');
    case 'NoRespondersError':
    case 'ClosedConnectionError':
    case 'DrainingConnectionError':
    case 'ConnectionError':
      return make('unavailable', 'NATS_UNREACHABLE', cause.name === 'ConnectionError');
    case 'AuthorizationError':
    case 'PermissionViolationError':
    case 'UserAuthenticationExpiredError':
      return make('permission_denied', 'NATS_DENIED', false);
    case 'RequestError':
      // JetStream itself has not come up yet, or has gone: there was nobody to take it.
      return make('unavailable', 'NATS_UNREACHABLE', !/no responders/i.test(cause.message));
    default:
      return make('unavailable', 'NATS_ERROR');
  }
}
