import { HeddleError } from '@heddle/kernel';
import { WholeBody } from '../message/body.ts';
import type { HttpResponse } from '../message/http.ts';
import type { Framing } from './body-writer.ts';
import { FieldMemory } from './field-memory.ts';
import { headWriter } from './head-writer.ts';
import { upgradeOctets } from './octets.ts';
import { statusLine } from './reason-phrase.ts';
import { readLength } from './message-head.ts';

// Content up to here leaves in one piece with its head.
const joinBytes = 16_384;
const responseFields = new FieldMemory();

/** What a response answers, as far as its framing depends on it. */
export interface Answered {
  readonly method: string;
  readonly http11: boolean;
  /** What the connection may be turned into. */
  readonly protocol: string | undefined;
}

/** How a response will be sent. */
export interface ResponsePlan {
  /** How its content is framed; `none` where it has none by rule; `tunnel` where the connection is turned over. */
  readonly framing: Framing | 'none' | 'tunnel';
  /** The connection cannot carry another exchange afterwards. */
  readonly close: boolean;
}

/** Decides the framing (RFC 9112 section 6.3). Throws `internal` for a status that cannot be sent. */
export function planResponse(response: HttpResponse, answered: Answered, close: boolean): ResponsePlan {
  const { status, body } = response;
  if (!(status === 101 || (status >= 200 && status <= 599)) || !Number.isInteger(status)) {
    throw new HeddleError({
      code: 'internal',
      reason: 'BAD_STATUS',
      message: `a final status is 200 to 599, not ${status}`,
    });
  }
  if (isTunnel(status, answered)) return { framing: 'tunnel', close: true };
  if (status === 101) {
    const message = 'the service answered 101 to a request that did not ask to upgrade';
    throw new HeddleError({ code: 'internal', reason: 'BAD_STATUS', message });
  }
  if (hasNoContent(answered.method, status)) return { framing: 'none', close };
  if (body.size !== undefined && (!(body instanceof WholeBody) || body.trailers === undefined)) {
    return { framing: 'length', close };
  }
  return answered.http11 ? { framing: 'chunked', close } : { framing: 'open', close: true };
}

/** True where an answer has no content whatever its fields say (RFC 9110 section 6.4.1). */
export function hasNoContent(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304 || status < 200;
}

/** True where the answer turns the connection into a tunnel. */
export function isTunnel(
  status: number,
  answered: { method: string; protocol: string | undefined },
): boolean {
  if (answered.method === 'CONNECT') return status >= 200 && status < 300;
  return status === 101 && answered.protocol !== undefined;
}

/**
 * Writes the head, and the content with it where that is small and all there. `date` gives the line of the Date field,
 * and is not asked where the service sets one. Throws `ILLEGAL_HEAD` and writes nothing if a field cannot be sent.
 */
export function writeResponseHead(
  response: HttpResponse,
  plan: ResponsePlan,
  answered: Answered,
  date: () => Uint8Array,
): { bytes: Uint8Array; withBody: boolean } {
  const { status, fields, body } = response;
  headWriter.begin();
  headWriter.bytes(statusLine(status));
  headWriter.fields(fields, responseFields);
  if (!fields.has('date')) headWriter.bytes(date());
  if (plan.framing === 'length') headWriter.length(body.size ?? 0);
  else if (plan.framing === 'chunked') headWriter.text('transfer-encoding: chunked\r\n');
  else if (plan.framing === 'none') writeDescribedLength(response, answered.method);
  writeConnection(plan, status, answered);
  headWriter.lineEnd();
  if (plan.framing !== 'length' || !(body instanceof WholeBody) || body.size > joinBytes)
    return { bytes: headWriter.take(), withBody: false };
  headWriter.bytes(body.content());
  body.copied();
  return { bytes: headWriter.take(), withBody: true };
}

function writeConnection(plan: ResponsePlan, status: number, answered: Answered): void {
  if (status === 101) {
    headWriter.text('connection: upgrade\r\nupgrade: ');
    headWriter.checked(answered.protocol ?? '', upgradeOctets, 'protocol');
    headWriter.text('\r\n');
  } else if (plan.framing === 'tunnel') {
    // A 2xx to CONNECT says no more.
  } else if (plan.close) headWriter.text('connection: close\r\n');
  else if (!answered.http11) headWriter.text('connection: keep-alive\r\n');
}

/** For HEAD and 304 the length is a fact about something that is not sent, so it travels as a field. */
function writeDescribedLength(response: HttpResponse, method: string): void {
  const described = response.fields.get('content-length');
  if (method !== 'HEAD' && response.status !== 304) return;
  if (described !== undefined) headWriter.text(`content-length: ${readLength(described)}\r\n`);
  else if (method === 'HEAD' && (response.body.size ?? 0) > 0) {
    headWriter.text(`content-length: ${response.body.size}\r\n`);
  }
}
