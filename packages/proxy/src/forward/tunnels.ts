import { HeddleError, type Layer } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';

/** True for a request that becomes a WebSocket if it is accepted. */
export function isWebSocket({ protocol }: HttpRequest): boolean {
  return protocol !== undefined && protocol.toLowerCase() === 'websocket';
}

/** The method that rules see: a WebSocket is opened by GET, whichever way HTTP/2 spells it (RFC 8441). */
export function methodOf(req: HttpRequest): string {
  return isWebSocket(req) ? 'GET' : req.method;
}

/** Refuses WebSockets on a route that is not for them: what runs through one is seen by no layer. */
export const noWebSockets: Layer<HttpRequest, HttpResponse> = (next) => (req, call) => {
  if (!isWebSocket(req)) return next(req, call);
  return Promise.reject(noTunnel('this route does not forward WebSockets ("webSocket: true" would)'));
};

/** `unimplemented` / `NO_TUNNELS`. */
export function noTunnel(message: string): HeddleError {
  return new HeddleError({ code: 'unimplemented', reason: 'NO_TUNNELS', message, sent: false });
}
