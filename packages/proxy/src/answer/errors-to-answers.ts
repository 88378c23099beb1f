import { type Call, HeddleError, type Layer } from '@heddle/kernel';
import { type HttpRequest, type HttpResponse, statusOfCode } from '@heddle/wire';
import { challengeOf } from '../auth/challenge.ts';
import { jsonAnswer } from './json-answer.ts';

const retryAfterSeconds = '1';

/**
 * The edge of the error model: an error from below becomes an answer with a JSON body `{code, reason, message}`.
 * - 503 with `Retry-After`: no upstream got the request (no instance, nobody accepted, or this proxy is full);
 * - 502: an upstream got it and broke off;
 * - 504: it did not answer in time;
 * - else as `google.rpc.Code` maps to HTTP. What is internal is not told outside: it is logged.
 */
export const errorsToAnswers: Layer<HttpRequest, HttpResponse> = (next) => (req, call) => {
  try {
    return next(req, call).then(undefined, (thrown: unknown) => answerTo(thrown, req, call));
  } catch (mistake) {
    // No service should throw; but whoever waits is to get an answer.
    return Promise.resolve(answerTo(mistake, req, call));
  }
};

function answerTo(thrown: unknown, req: HttpRequest, call: Call): HttpResponse {
  const error = HeddleError.from(thrown);
  const status = statusOf(error);
  if (status === 500) call.runtime.log('error', 'a request met an internal error', { path: req.path, error });
  const { code, reason } = error;
  const message = status === 500 ? 'an internal error; the log has more' : error.message;
  const answer = jsonAnswer(status, { code, reason, message });
  if (status === 503 || status === 429) answer.fields.set('retry-after', retryAfterSeconds);
  const challenge = challengeOf(error);
  if (status === 401 && challenge !== undefined) answer.fields.set('www-authenticate', challenge);
  return answer;
}

/** The status for an error on the way through a proxy. */
export function statusOf(error: HeddleError): number {
  const { code, reason, sent } = error;
  if (reason === 'BODY_TOO_LARGE') return 413;
  if (reason === 'RESPONSE_TOO_LARGE') return 502;
  if (reason === 'ATTEMPT_TIMEOUT') return 504;
  if (reason === 'CONCURRENCY_LIMIT') return 503;
  if (code === 'unavailable') return sent ? 502 : 503;
  return statusOfCode(code);
}
