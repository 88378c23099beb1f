import { HeddleError, type Layer, settle } from '@heddle/kernel';
import { timeout } from '@heddle/traffic';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { isWebSocket } from './tunnels.ts';

/**
 * Bounds the whole exchange, to its last byte. What is meant to stay open, a WebSocket or an event stream, is bounded
 * until its answer begins, and sends no deadline on.
 */
export function deadline(ms: number): Layer<HttpRequest, HttpResponse> {
  const whole = timeout<HttpRequest, HttpResponse>({ ms });
  const begun = untilAnswer(ms);
  return (next) => {
    const [bounded, open] = [whole(next), begun(next)];
    return (req, call) => (staysOpen(req) ? open : bounded)(req, call);
  };
}

/** An `EventSource` says that it is one (HTML standard, "Server-sent events"). */
function staysOpen(req: HttpRequest): boolean {
  return isWebSocket(req) || req.fields.get('accept')?.startsWith('text/event-stream') === true;
}

function untilAnswer(ms: number): Layer<HttpRequest, HttpResponse> {
  return (next) => async (req, call) => {
    const child = call.child();
    const timer = call.runtime.timers.after(ms, () => child.cancel(tooLate(ms)));
    const result = await settle(next, req, child);
    timer.cancel();
    if (!result.ok) throw result.error;
    call.endWith(child);
    return result.value;
  };
}

function tooLate(ms: number): HeddleError {
  const message = `no answer began within ${ms} ms`;
  return new HeddleError({ code: 'deadline_exceeded', reason: 'DEADLINE_EXCEEDED', message });
}
