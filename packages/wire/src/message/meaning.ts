import { classifyErrors, type Idempotency, type Meaning, type Result } from '@heddle/kernel';
import { wholeBytes } from './body.ts';
import type { HttpRequest, HttpResponse } from './http.ts';

/**
 * What an HTTP answer means: 502, 503 and 504 invite another try, other 5xx are failures, all else (429 too) is the
 * upstream doing its work. Errors as `classifyErrors`.
 */
export function classifyHttp(req: HttpRequest, result: Result<HttpResponse>): Meaning {
  if (!result.ok) return classifyErrors(req, result);
  const { status } = result.value;
  if (status < 500) return 'success';
  return status === 502 || status === 503 || status === 504 ? 'retryable' : 'failure';
}

/** A request whose content is all there, or that has none, can be sent again. */
export function replayHttp(req: HttpRequest): HttpRequest | undefined {
  return wholeBytes(req.body) === undefined ? undefined : req;
}

/** The wait that `retry-after` asks for, where it is a number of seconds (RFC 9110 section 10.2.3). */
export function retryAfterMs(result: Result<HttpResponse>): number | undefined {
  const text = result.ok ? result.value.fields.get('retry-after') : undefined;
  return text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined;
}

/** What a method promises (RFC 9110 section 9.2). */
export function idempotencyOfMethod(method: string): Idempotency {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'OPTIONS':
    case 'TRACE':
      return 'no_side_effects';
    case 'PUT':
    case 'DELETE':
      return 'idempotent';
    default:
      return 'unknown';
  }
}
