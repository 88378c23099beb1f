import { HeddleError, type Random } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from './http.ts';
import { sha1 } from './sha1.ts';

// RFC 6455 section 1.3.
const handshake = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const keyField = 'sec-websocket-key';
const acceptField = 'sec-websocket-accept';

/**
 * An extended CONNECT as HTTP/1.1 asks for the same: GET with `Upgrade` (RFC 8441 section 5). A WebSocket needs a key
 * there, which is made here, since HTTP/2 has none.
 */
export function asUpgrade(request: HttpRequest, random: Random): HttpRequest {
  const fields = request.fields.clone();
  if (isWebSocket(request)) fields.set(keyField, base64(random.bytes(16)));
  return { ...request, method: 'GET', fields };
}

/**
 * What the answer to `asUpgrade` says to who has asked by extended CONNECT. Rejects the answer of a server that has not
 * understood what it accepts (RFC 6455 section 4.1).
 */
export function asConnected(asked: HttpRequest, response: HttpResponse): HttpResponse {
  if (response.status !== 101 || !isWebSocket(asked)) return response;
  if (response.fields.get(acceptField) !== acceptOf(asked)) {
    const message = `the upstream has accepted a WebSocket without the right ${acceptField}`;
    const error = new HeddleError({ code: 'internal', reason: 'BAD_UPGRADE', message });
    response.body.cancel(error);
    throw error;
  }
  return { ...response, fields: response.fields.clone().delete(acceptField) };
}

/** An upgrade of HTTP/1.1 as HTTP/2 asks for the same: extended CONNECT. */
export function asExtendedConnect(request: HttpRequest): HttpRequest {
  return { ...request, method: 'CONNECT', fields: request.fields.clone().delete(keyField) };
}

/** What the answer to `asExtendedConnect` says to who has asked by an upgrade: 2xx there is 101 here. */
export function asSwitched(asked: HttpRequest, response: HttpResponse): HttpResponse {
  if (response.status < 200 || response.status > 299) return response;
  const fields = response.fields.clone();
  if (isWebSocket(asked) && asked.fields.has(keyField)) fields.set(acceptField, acceptOf(asked));
  return { ...response, status: 101, fields };
}

function isWebSocket({ protocol }: HttpRequest): boolean {
  return protocol?.toLowerCase() === 'websocket';
}

function acceptOf({ fields }: HttpRequest): string {
  return base64(sha1(Buffer.from(`${fields.get(keyField) ?? ''}${handshake}`, 'latin1')));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
