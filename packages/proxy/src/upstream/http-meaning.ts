import { classifyErrors, type Idempotency, type Meaning, type Result } from '@heddle/kernel';
import { type HttpRequest, type HttpResponse, wholeBytes } from '@heddle/wire';

/**
 * What an HTTP answer says about the upstream. 502, 503 and 504 invite another try (as nginx' `proxy_next_upstream`),
 * other 5xx are failures that would come again, and every other status is a success of the upstream.
 */
export function classifyHttp(req: HttpRequest, result: Result<HttpResponse>): Meaning {
  if (!result.ok) return classifyErrors(req, result);
  const { status } = result.value;
  if (status === 502 || status === 503 || status === 504) return 'retryable';
  return status >= 500 ? 'failure' : 'success';
}

/** A request can be sent again if its content is all there. */
export function replayHttp(req: HttpRequest): HttpRequest | undefined {
  return wholeBytes(req.body) === undefined ? undefined : req;
}

/** What the method promises (RFC 9110 section 9.2). An unknown method promises nothing. */
export function idempotencyOf(method: string): Idempotency {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'TRACE')
    return 'no_side_effects';
  return method === 'PUT' || method === 'DELETE' ? 'idempotent' : 'unknown';
}
