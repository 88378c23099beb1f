import {
  type Ambient,
  Call,
  type CallKey,
  callKey,
  HeddleError,
  type Idempotency,
  perform,
} from '@heddle/kernel';
import type { Runtime } from '@heddle/kernel';
import { codeOfHttpStatus, type HttpRequest, type HttpResponse, type HttpService } from '@heddle/wire';

/** What a request promises beside what its HTTP method does: a query of GraphQL is a POST without side effects. */
export const promised: CallKey<Idempotency | undefined> = callKey<Idempotency | undefined>(
  'http-promise',
  undefined,
);

/** What the clients above HTTP have in common. */
export interface ExchangeOptions {
  readonly runtime: Runtime;
  /** For requests that name no timeout of their own; 0: none. Default 15000. Never extends a parent's deadline. */
  readonly timeoutMs?: number;
  /** Largest answer that is taken. Default 4 MiB. */
  readonly maxAnswerBytes?: number;
  /** Requests that name no parent are made within the current call. Default: they have none. */
  readonly ambient?: Ambient;
}

/** What one request may say of itself. */
export interface RequestOptions {
  /** The call that it is made for: its deadline and context go with the request. */
  readonly within?: Call;
  readonly timeoutMs?: number;
}

/** An answer that is all there. */
export interface WholeAnswer {
  readonly response: HttpResponse;
  /** Undefined where there is no content. */
  readonly value: unknown;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Makes one request and reads the answer as JSON, whatever its status. Rejects with `internal` / `NOT_JSON` for other content. */
export async function exchangeJson(
  service: HttpService,
  request: HttpRequest,
  options: ExchangeOptions & RequestOptions,
  promise: Idempotency | undefined,
): Promise<WholeAnswer> {
  const { runtime, ambient, maxAnswerBytes = 4 * 1024 * 1024, timeoutMs = 15_000 } = options;
  const deadlineMs = timeoutMs > 0 ? runtime.clock.nowMs() + timeoutMs : undefined;
  const parent = options.within ?? ambient?.current();
  const call = parent === undefined ? Call.root(runtime, deadlineMs) : parent.child(deadlineMs);
  call.set(promised, promise);
  const response = await perform(service, request, call);
  const bytes = await response.body.bytes(maxAnswerBytes);
  if (bytes.byteLength === 0) return { response, value: undefined };
  try {
    return { response, value: JSON.parse(decoder.decode(bytes)) };
  } catch (cause) {
    if (response.status >= 400) return { response, value: undefined };
    const message = `the answer to ${request.method} ${request.path} is not JSON`;
    throw new HeddleError({ code: 'internal', reason: 'NOT_JSON', message, cause });
  }
}

/** A status of 400 and above as an error; a problem document (RFC 9457) says more. */
export function errorOf(request: HttpRequest, { response, value }: WholeAnswer): HeddleError {
  const { status } = response;
  const problem = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const reason = typeof problem['reason'] === 'string' ? problem['reason'] : `HTTP_${status}`;
  const said = [problem['detail'], problem['message'], problem['title']].find(
    (each) => typeof each === 'string',
  );
  const message = `${request.method} ${request.path} was answered with ${status}${said === undefined ? '' : `: ${String(said)}`}`;
  const details = [{ type: 'http.Status', value: { status } }];
  return new HeddleError({ code: codeOf(status), reason, message, details });
}

function codeOf(status: number): ReturnType<typeof codeOfHttpStatus> {
  if (status === 400 || status === 422) return 'invalid_argument';
  if (status === 409) return 'failed_precondition';
  if (status === 404 || status === 410) return 'not_found';
  return status === 500 ? 'internal' : codeOfHttpStatus(status);
}
