import type { Classify, HeddleError } from '@heddle/kernel';
import { type HttpRequest, type HttpResponse, readGrpcStatus } from '@heddle/wire';

/** The words of Envoy and gRPC that name what is to be tried again; a status of HTTP (`503`) is one as well. */
export const retryWords: ReadonlySet<string> = new Set([
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'refused-stream',
  'retriable-4xx',
  'retriable-status-codes',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
]);

/** True for one of `retryWords`, and for a status that says that something went wrong. */
export function isRetryWord(word: string): boolean {
  return retryWords.has(word) || /^[45]\d\d$/.test(word);
}

/**
 * What a result means where words say what is to be tried again: that, and nothing else. Whether it may be, is not asked
 * here.
 */
export function classifyByWords(words: readonly string[]): Classify<HttpRequest, HttpResponse> {
  const on: ReadonlySet<string> = new Set(words);
  const has = (...any: readonly string[]): boolean => any.some((word) => on.has(word));
  const anyReset = has('reset', '5xx', 'gateway-error');
  const unsent = anyReset || has('connect-failure', 'refused-stream', 'reset-before-request', 'unavailable');
  const tooSlow = has('5xx', 'gateway-error');
  const ofError = (error: HeddleError): boolean => {
    if (error.code === 'cancelled') return false;
    if (error.reason === 'ATTEMPT_TIMEOUT') return tooSlow || on.has('deadline-exceeded');
    return error.sent ? error.code === 'unavailable' && anyReset : unsent;
  };
  return (_req, result) => {
    if (!result.ok) return ofError(result.error) ? 'retryable' : 'failure';
    return isNamed(result.value, on) ? 'retryable' : 'success';
  };
}

const gatewayErrors: ReadonlySet<number> = new Set([502, 503, 504]);

/** Whether an answer is one of those that the words name. A status of gRPC that comes after messages is not seen. */
function isNamed({ status, fields }: HttpResponse, on: ReadonlySet<string>): boolean {
  if (fields.has('grpc-status')) {
    const error = readGrpcStatus(fields, status);
    return error !== undefined && on.has(error.code.replaceAll('_', '-'));
  }
  if (status < 400) return false;
  if (on.has(String(status))) return true;
  if (status === 409) return on.has('retriable-4xx');
  if (status < 500) return false;
  return on.has('5xx') || (on.has('gateway-error') && gatewayErrors.has(status));
}
