import { type Call, type Code, HeddleError } from '@heddle/kernel';
import {
  Fields,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  statusOfCode,
  wholeBody,
} from '@heddle/wire';
import { type Json, objectOf } from './fields.ts';

/** What a handler gets. */
export interface HttpExchange {
  readonly request: HttpRequest;
  readonly call: Call;
  /** The values of the path's `{names}`, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The content as a JSON object, at most 64 KiB. Rejects with `INVALID_FIELD` or `NOT_JSON`. */
  readonly json: () => Promise<Json>;
}

/** What a handler answers with. */
export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** Serves one route. What it throws becomes an `application/problem+json` (RFC 9457) with the error's reason. */
export type HttpHandler = (exchange: HttpExchange) => Promise<JsonAnswer>;

/** JSON over HTTP, as a service. */
export interface HttpApi {
  readonly service: HttpService;
  /** The route that a request belongs to, e.g. `/orders/{orderId}`; undefined for none. For metrics. */
  readonly endpointOf: (request: HttpRequest) => string | undefined;
}

interface Route {
  readonly method: string;
  readonly pattern: string;
  readonly segments: readonly string[];
  readonly handler: HttpHandler;
}

const mostBytes = 64 * 1024;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Routes by method and path, e.g. `GET /orders/{orderId}`. Paths are matched segment by segment, none is a prefix. */
export function httpApi(handlers: Readonly<Record<string, HttpHandler>>): HttpApi {
  const routes = Object.entries(handlers).map(([key, handler]): Route => {
    const [method = '', pattern = ''] = key.split(' ');
    return { method, pattern, segments: pattern.split('/'), handler };
  });
  const matching = (request: HttpRequest): readonly Route[] => {
    const segments = pathOf(request).split('/');
    return routes.filter((route) => fits(route.segments, segments));
  };
  return {
    endpointOf: (request) => matching(request)[0]?.pattern,
    service: async (request, call) => {
      const candidates = matching(request);
      const route = candidates.find((each) => each.method === request.method);
      if (route !== undefined) return serveRoute(route, request, call);
      request.body.cancel();
      if (candidates.length === 0)
        return problem(404, 'NO_SUCH_PATH', `there is nothing at ${pathOf(request)}`);
      const answer = problem(405, 'METHOD_NOT_ALLOWED', `${request.method} is not served here`);
      answer.fields.append('allow', candidates.map((each) => each.method).join(', '));
      return answer;
    },
  };
}

/** A JSON answer. */
export function json(status: number, body: unknown, type = 'application/json'): HttpResponse {
  return {
    status,
    fields: Fields.of({ 'content-type': type }),
    body: wholeBody(encoder.encode(`${JSON.stringify(body)}\n`)),
  };
}

/** An error as a problem document; `more` is added to it. */
export function problemOf(error: HeddleError, more: object = {}): JsonAnswer {
  const status = statusFor(error.code);
  // What went wrong inside is for the log.
  const detail = status === 500 ? 'the service met an error that it did not expect' : error.message;
  return { status, body: { title: error.reason, status, detail, reason: error.reason, ...more } };
}

async function serveRoute(route: Route, request: HttpRequest, call: Call): Promise<HttpResponse> {
  try {
    const parameters = parametersOf(route.segments, pathOf(request).split('/'));
    const query = new URLSearchParams(request.path.split('?', 2)[1] ?? '');
    const exchange: HttpExchange = { request, call, parameters, query, json: () => readJson(request) };
    const { status, body } = await route.handler(exchange);
    return status < 400 ? json(status, body) : json(status, body, 'application/problem+json');
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    const { status, body } = problemOf(error);
    if (status === 500)
      call.runtime.log('error', 'a request failed unexpectedly', { route: route.pattern, error: thrown });
    return json(status, body, 'application/problem+json');
  } finally {
    request.body.cancel();
  }
}

function problem(status: number, reason: string, detail: string): HttpResponse {
  return json(status, { title: reason, status, detail, reason }, 'application/problem+json');
}

/** As everywhere, but a no of the business is a conflict with the state of things, not a bad request. */
function statusFor(code: Code): number {
  return code === 'failed_precondition' ? 409 : statusOfCode(code);
}

function pathOf(request: HttpRequest): string {
  return request.path.split('?', 1)[0] ?? '';
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, index) =>
    part.startsWith('{') ? segments[index] !== '' : part === segments[index],
  );
}

function parametersOf(pattern: readonly string[], segments: readonly string[]): Record<string, string> {
  const named = pattern.flatMap((part, index) =>
    part.startsWith('{') ? [[part.slice(1, -1), decoded(segments[index])]] : [],
  );
  return Object.fromEntries(named) as Record<string, string>;
}

function decoded(segment = ''): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    const message = 'the path holds a % that is not followed by the two hex digits of UTF-8';
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_PATH', message, cause });
  }
}

async function readJson(request: HttpRequest): Promise<Json> {
  const bytes = await request.body.bytes(mostBytes);
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    const message = 'the content must be JSON in UTF-8';
    throw new HeddleError({ code: 'invalid_argument', reason: 'NOT_JSON', message, cause });
  }
  return objectOf(value, 'the content');
}
