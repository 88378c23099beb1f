import { HeddleError, type Layer } from '@heddle/kernel';
import { checkOptions, durationMs } from '../options/check-options.ts';
import { settleWithin } from './settle-within.ts';

/** What `timeout` may be told. */
export interface TimeoutOptions {
  /** How long a call may take, in milliseconds. Default: only the deadline that the call brings along counts. */
  readonly ms?: number;
}

/**
 * Holds a call to its deadline, and to `ms` if that is earlier: the whole call, until its last byte.
 *
 * When the time is up the promise rejects with `deadline_exceeded` at once, even if what is below ignores the cancel;
 * a response that has begun is cancelled, and its reader told so. A call that comes too late is not passed on
 * (`sent: false`). Layers below see the tightened deadline, so it travels on with what they send.
 */
export function timeout<Req, Res>(options: TimeoutOptions = {}): Layer<Req, Res> {
  checkOptions('timeout', options, { ms: durationMs });
  const { ms = Number.POSITIVE_INFINITY } = options;
  return (next) => (req, call) => {
    const { deadlineMs = Number.POSITIVE_INFINITY } = call;
    if (ms === Number.POSITIVE_INFINITY && deadlineMs === Number.POSITIVE_INFINITY) return next(req, call);
    const nowMs = call.runtime.clock.nowMs();
    const remainingMs = Math.min(ms, deadlineMs - nowMs);
    if (remainingMs <= 0) return Promise.reject(tooLate());
    const child = call.child(nowMs + remainingMs, nowMs);
    return settleWithin(next, req, child, remainingMs, timedOut, 'end', (result) => {
      if (!result.ok) throw result.error;
      call.endWith(child);
      return result.value;
    });
  };
}

function tooLate(): HeddleError {
  const message = 'the deadline had passed before the call was made';
  return new HeddleError({ code: 'deadline_exceeded', reason: 'DEADLINE_EXCEEDED', message, sent: false });
}

function timedOut(ms: number): HeddleError {
  const message = `the call was not done within ${Math.ceil(ms)} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'DEADLINE_EXCEEDED', message });
}
