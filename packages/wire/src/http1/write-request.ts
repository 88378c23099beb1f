import { HeddleError } from '@heddle/kernel';
import { WholeBody } from '../message/body.ts';
import type { HttpRequest } from '../message/http.ts';
import { isAuthorityAgain } from './authority.ts';
import type { Framing } from './body-writer.ts';
import { FieldMemory } from './field-memory.ts';
import { headWriter } from './head-writer.ts';
import { targetOctets, tokenOctets, upgradeOctets } from './octets.ts';

// Content up to here leaves in one piece with its head.
const joinBytes = 16_384;
const requestFields = new FieldMemory();
const lineEndAndHost = Buffer.from(' HTTP/1.1\r\nhost: ');

/** How the content of a request is framed; `none` where there is none, `tunnel` where it waits for an upgrade. */
export type RequestFraming = Framing | 'none' | 'tunnel';

/** Decides the framing (RFC 9112 section 6.3). */
export function planRequest(request: HttpRequest): RequestFraming {
  const { method, body } = request;
  if (method === 'CONNECT' || request.protocol !== undefined) return 'tunnel';
  if (body.size === undefined || (body instanceof WholeBody && body.trailers !== undefined)) return 'chunked';
  if (body.size > 0) return 'length';
  // Methods that expect content say so when there is none (RFC 9110 section 8.6).
  return method === 'POST' || method === 'PUT' || method === 'PATCH' ? 'length' : 'none';
}

/**
 * Writes the head, and the content with it where that is small and all there and `hold` is false.
 * Throws `ILLEGAL_HEAD` with `sent: false` and writes nothing if a part of it cannot be sent.
 */
export function writeRequestHead(
  request: HttpRequest,
  framing: RequestFraming,
  hold: boolean,
): { bytes: Uint8Array; withBody: boolean } {
  const { method, authority, path, fields, body } = request;
  if (!isAuthorityAgain(authority)) throw illegal('authority', authority, 'host or host:port');
  headWriter.begin();
  headWriter.checked(method, tokenOctets, 'method');
  headWriter.text(' ');
  if (method === 'CONNECT') headWriter.text(authority);
  else writeTarget(path, method);
  headWriter.bytes(lineEndAndHost);
  headWriter.text(authority);
  headWriter.lineEnd();
  headWriter.fields(fields, requestFields);
  if (hold) headWriter.text('expect: 100-continue\r\n');
  if (framing === 'length') headWriter.length(body.size ?? 0);
  else if (framing === 'chunked') headWriter.text('transfer-encoding: chunked\r\n');
  else if (request.protocol !== undefined) {
    headWriter.text('connection: upgrade\r\nupgrade: ');
    headWriter.checked(request.protocol, upgradeOctets, 'protocol');
    headWriter.text('\r\n');
  }
  headWriter.lineEnd();
  if (framing !== 'length' || hold || !(body instanceof WholeBody) || body.size > joinBytes)
    return { bytes: headWriter.take(), withBody: false };
  headWriter.bytes(body.content());
  body.copied();
  return { bytes: headWriter.take(), withBody: true };
}

function writeTarget(path: string, method: string): void {
  if (!path.startsWith('/') && !(path === '*' && method === 'OPTIONS')) {
    throw illegal('path', path, 'something that starts with "/"');
  }
  headWriter.checked(path, targetOctets, 'path');
}

function illegal(what: string, found: string, expected: string): HeddleError {
  const message = `the ${what} ${JSON.stringify(found.slice(0, 64))} of the request is not ${expected}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'ILLEGAL_HEAD', message, sent: false });
}
