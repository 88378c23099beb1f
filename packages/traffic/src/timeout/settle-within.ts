import { type Call, type HeddleError, type Result, type Service, settle } from '@heddle/kernel';

/**
 * As `settle`, within `delayMs`: then the call is cancelled with `late()`, which is also the result, at once, whether
 * `service` heeds the cancel or not. So is any other cancel. The time counts until the `result` or the call's `end`.
 * A call that is cancelled beforehand is not passed on.
 *
 * The call itself ends when the service has really let go: what counts calls below sees the truth.
 */
export function settleWithin<Req, Res>(
  service: Service<Req, Res>,
  req: Req,
  call: Call,
  delayMs: number,
  late: () => HeddleError,
  until: 'result' | 'end',
): Promise<Result<Res>> {
  const { cancelled } = call;
  if (cancelled !== undefined) {
    call.end(cancelled);
    return Promise.resolve({
      ok: false,
      error: cancelled.sent ? cancelled.with({ sent: false }) : cancelled,
    });
  }
  return new Promise((resolve) => {
    const timer = call.runtime.timers.after(delayMs, () => call.cancel(late()));
    const stopListening = call.onCancel((error) => {
      timer.cancel();
      resolve({ ok: false, error });
    });
    if (until === 'end') call.onEnd(() => timer.cancel());
    void settle(service, req, call).then((result) => {
      if (until === 'result') timer.cancel();
      stopListening();
      resolve(result);
    });
  });
}
