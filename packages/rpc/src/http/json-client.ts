import { HeddleError } from '@heddle/kernel';
import { emptyBody, Fields, type HttpRequest, type HttpService, wholeBody } from '@heddle/wire';
import { errorOf, type ExchangeOptions, exchangeJson, type RequestOptions } from './exchange.ts';
import { type StandardSchema, validated } from './standard-schema.ts';

type Scalar = string | number | boolean;

/** One request of a JSON API. */
export interface JsonRequest<Output> extends RequestOptions {
  /** Values for the `{names}` in the path. */
  readonly path?: Readonly<Record<string, Scalar>>;
  /** Undefined values are left out, lists repeated. */
  readonly query?: Readonly<Record<string, Scalar | readonly Scalar[] | undefined>>;
  readonly fields?: Readonly<Record<string, string>>;
  /** Sent as JSON. Default: no content. */
  readonly body?: unknown;
  /** Names the work, so that a POST may be repeated: sent as `idempotency-key`. */
  readonly idempotencyKey?: string;
  /** What the answer must be; its type is the result's. */
  readonly answer: StandardSchema<Output>;
}

/** Calls a JSON API, typed by its schemas. */
export interface JsonClient {
  /**
   * `api.request('GET', '/users/{id}', { path: { id }, answer: User })`. Rejects with the error that the answer's status
   * means, or `internal` / `BAD_ANSWER`, `NOT_JSON` for an answer that is not what it should be.
   */
  request<Output>(method: string, path: string, request: JsonRequest<Output>): Promise<Output>;
}

/** A typed client above any HTTP service: that of `httpClient`, with its discovery, balancing, retries and all. */
export function jsonClient(service: HttpService, options: ExchangeOptions): JsonClient {
  return {
    async request(method, path, given) {
      const request = requestOf(method, path, given);
      const answer = await exchangeJson(service, request, { ...options, ...given }, undefined);
      if (answer.response.status >= 400) throw errorOf(request, answer);
      return validated(given.answer, answer.value, `the answer to ${method} ${path}`);
    },
  };
}

function requestOf(method: string, template: string, given: JsonRequest<unknown>): HttpRequest {
  const fields = Fields.of({ accept: 'application/json', ...given.fields });
  if (given.idempotencyKey !== undefined) fields.set('idempotency-key', given.idempotencyKey);
  const path = `${filled(template, given.path ?? {})}${queryText(given.query ?? {})}`;
  const base = { method, scheme: 'http', authority: '', path, fields } as const;
  if (given.body === undefined) return { ...base, body: emptyBody };
  fields.set('content-type', 'application/json');
  return { ...base, body: wholeBody(new TextEncoder().encode(JSON.stringify(given.body))) };
}

function filled(template: string, values: Readonly<Record<string, Scalar>>): string {
  const used = new Set<string>();
  const path = template.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined || value === '') throw badPath(template, `a value for {${name}}`, 'none');
    used.add(name);
    return encodeURIComponent(String(value));
  });
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (unused.length > 0) throw badPath(template, 'values for its own names only', unused.join(', '));
  return path;
}

function queryText(query: NonNullable<JsonRequest<unknown>['query']>): string {
  const parts = Object.entries(query).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const all: readonly Scalar[] = Array.isArray(value) ? (value as Scalar[]) : [value as Scalar];
    return all.map((each) => `${encodeURIComponent(name)}=${encodeURIComponent(String(each))}`);
  });
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

function badPath(template: string, expected: string, found: string): HeddleError {
  const message = `the path ${template}: expected ${expected}, found ${found}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_PATH', message, sent: false });
}
