import { type Call, HeddleError, type Result, type Service, settleThen } from '@heddle/kernel';
import { deadlinesOf } from './deadlines.ts';

/**
 * As `settleThen`, within `delayMs`: then the call is cancelled with `late(delayMs)`, which is also the result, at once,
 * whether `service` heeds the cancel or not. So is any other cancel. The time counts until the `result` or the call's `end`.
 * A call that is cancelled beforehand is not passed on. The call begins now: it was made for this.
 *
 * The call itself ends when the service has really let go: what counts calls below sees the truth.
 */
export function settleWithin<Req, Res, Out>(
  service: Service<Req, Res>,
  req: Req,
  call: Call,
  delayMs: number,
  late: (delayMs: number) => HeddleError,
  until: 'result' | 'end',
  then: (result: Result<Res>) => Out | Promise<Out>,
): Promise<Out> {
  if (call.cancelled !== undefined) return refused(call, call.cancelled, then);
  return new Promise((resolve, reject) => {
    // The first result is the only one: what comes after a cancel is of no interest, and must not be passed on.
    let settled = false;
    const decide = (result: Result<Res>): void => {
      if (settled) return;
      settled = true;
      try {
        resolve(then(result));
      } catch (thrown) {
        reject(HeddleError.from(thrown));
      }
    };
    const nowMs = call.startMs;
    const timer = deadlinesOf(call.runtime).at(nowMs + delayMs, nowMs, () => call.cancel(late(delayMs)));
    call.onCancel((error) => {
      timer.cancel();
      decide({ ok: false, error });
    });
    if (until === 'end') call.onEnd(() => timer.cancel());
    void settleThen(service, req, call, (result) => {
      if (until === 'result') timer.cancel();
      decide(result);
    });
  });
}

async function refused<Res, Out>(
  call: Call,
  cancelled: HeddleError,
  then: (result: Result<Res>) => Out | Promise<Out>,
): Promise<Out> {
  call.end(cancelled);
  return then({ ok: false, error: cancelled.sent ? cancelled.with({ sent: false }) : cancelled });
}
