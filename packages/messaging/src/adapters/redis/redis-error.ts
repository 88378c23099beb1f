import { HeddleError, type Code } from '@heddle/kernel';

// What a server says that another try may help against. Source: the error replies in Redis' own `server.c`.
const passing = /^(LOADING|BUSY|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|UNBLOCKED)\b/;
const neverLeft = /isn't writeable|ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|max retries per request/;

/** Where an error of the client becomes one of ours. */
export function redisError(thrown: unknown): HeddleError {
  if (thrown instanceof HeddleError) return thrown;
  const cause = thrown instanceof Error ? thrown : new Error(String(thrown));
  const make = (code: Code, reason: string, sent: boolean): HeddleError =>
    new HeddleError({ code, reason, message: `Redis: ${cause.message}`, cause, sent });
  if (cause.name === 'ReplyError') {
    if (passing.test(cause.message)) return make('unavailable', 'REDIS_NOT_READY', false);
    if (/^OOM\b/.test(cause.message)) return make('resource_exhausted', 'REDIS_FULL', false);
    if (/^(NOAUTH|WRONGPASS|NOPERM)\b/.test(cause.message))
      return make('permission_denied', 'REDIS_DENIED', false);
    return make('internal', 'REDIS_ERROR', true);
  }
  if (/Command timed out/.test(cause.message)) return make('deadline_exceeded', 'NO_ANSWER', true);
  return make('unavailable', 'REDIS_UNREACHABLE', !neverLeft.test(cause.message));
}
