import { Call, HeddleError, type Layer, settle } from '@heddle/kernel';
import { type Body, type HttpRequest, type HttpResponse, type HttpService, wholeBytes } from '@heddle/wire';
import { KeptBody } from '../forward/kept-body.ts';

/** What `mirrored` needs to know. */
export interface MirrorOptions {
  readonly to: HttpService;
  readonly percent: number;
  readonly timeoutMs: number;
}

/** Copies that may be on their way at a time: a mirror that hangs must not fill the gateway. */
const mostAtOnce = 100;

/**
 * Sends a copy of requests to another upstream and throws the answer away. The copy is a call of its own: it delays
 * nothing, outlives the request, and its failures are nobody's. Only content that is all there, or kept (`KeptBody`), can
 * be sent twice: another request whose content streams is not mirrored. The copy says `x-mirrored: 1`.
 */
export function mirrored({ to, percent, timeoutMs }: MirrorOptions): Layer<HttpRequest, HttpResponse> {
  let running = 0;
  return (next) => (req, call) => {
    if (running >= mostAtOnce || call.runtime.random.float() * 100 >= percent) return next(req, call);
    const body = copyOf(req.body);
    if (body === undefined) return next(req, call);
    running++;
    const copy = Call.root(call.runtime, call.runtime.clock.nowMs() + timeoutMs);
    const timer = call.runtime.timers.after(timeoutMs, () => copy.cancel(tooSlow()));
    copy.onEnd(() => {
      timer.cancel();
      running--;
    });
    const fields = req.fields.clone().set('x-mirrored', '1');
    void settle(to, { ...req, fields, body }, copy).then((result) => result.ok && result.value.body.cancel());
    return next(req, call);
  };
}

function copyOf(body: Body): Body | undefined {
  if (body instanceof KeptBody) return body.copy();
  return wholeBytes(body) === undefined ? undefined : body;
}

function tooSlow(): HeddleError {
  const message = 'the mirror took longer than the route may';
  return new HeddleError({ code: 'deadline_exceeded', reason: 'MIRROR_TIMEOUT', message });
}
