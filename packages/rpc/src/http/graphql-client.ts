import { type Code, HeddleError } from '@heddle/kernel';
import { Fields, type HttpRequest, type HttpService, wholeBody } from '@heddle/wire';
import { errorOf, type ExchangeOptions, exchangeJson, type RequestOptions } from './exchange.ts';
import { type StandardSchema, validated } from './standard-schema.ts';

/** What `graphqlClient` is told. */
export interface GraphqlOptions extends ExchangeOptions {
  /** Where the server takes requests. Default `/graphql`. */
  readonly path?: string;
}

/** One operation. */
export interface GraphqlOperation<Output> extends RequestOptions {
  readonly document: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  /** Needed where the document has several operations. */
  readonly operationName?: string;
  /** For a mutation that may be repeated: sent as `idempotency-key`. */
  readonly idempotencyKey?: string;
  /** What `data` must be; its type is the result's. */
  readonly data: StandardSchema<Output>;
}

/** Calls a GraphQL server over HTTP. */
export interface GraphqlClient {
  /** Has no side effects by GraphQL's rules, so it may be repeated, and elsewhere. */
  query<Output>(operation: GraphqlOperation<Output>): Promise<Output>;
  /** Is repeated only where it was not sent, or with an idempotency key. */
  mutate<Output>(operation: GraphqlOperation<Output>): Promise<Output>;
}

interface GraphqlAnswer {
  readonly data?: unknown;
  readonly errors?: readonly GraphqlError[];
}

interface GraphqlError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: { readonly code?: unknown };
}

/** The codes that GraphQL servers agree on, by custom. */
const codeOfExtension: Readonly<Record<string, Code>> = {
  UNAUTHENTICATED: 'unauthenticated',
  FORBIDDEN: 'permission_denied',
  NOT_FOUND: 'not_found',
  BAD_USER_INPUT: 'invalid_argument',
  BAD_REQUEST: 'invalid_argument',
  GRAPHQL_PARSE_FAILED: 'invalid_argument',
  GRAPHQL_VALIDATION_FAILED: 'invalid_argument',
  INTERNAL_SERVER_ERROR: 'internal',
};

/**
 * GraphQL above any HTTP service, that of `httpClient` for one (GraphQL over HTTP, working draft). An answer with
 * `errors` rejects, also where it has data: all errors, and the data, are in its detail `graphql.Answer`.
 */
export function graphqlClient(service: HttpService, options: GraphqlOptions): GraphqlClient {
  const run = async <Output>(operation: GraphqlOperation<Output>, isQuery: boolean): Promise<Output> => {
    const request = requestOf(operation, options.path ?? '/graphql');
    const promise = isQuery ? 'no_side_effects' : undefined;
    const answer = await exchangeJson(service, request, { ...options, ...operation }, promise);
    const { errors, data } = (answer.value ?? {}) as GraphqlAnswer;
    if (Array.isArray(errors) && errors.length > 0) throw failed(errors, data);
    if (answer.response.status >= 400) throw errorOf(request, answer);
    return validated(operation.data, data, `the data of ${operation.operationName ?? 'the operation'}`);
  };
  return { query: (operation) => run(operation, true), mutate: (operation) => run(operation, false) };
}

function requestOf(operation: GraphqlOperation<unknown>, path: string): HttpRequest {
  const { document: query, variables, operationName, idempotencyKey } = operation;
  const fields = Fields.of({
    accept: 'application/graphql-response+json, application/json;q=0.9',
    'content-type': 'application/json',
    ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
  });
  const content = JSON.stringify({ query, variables, operationName });
  const body = wholeBody(new TextEncoder().encode(content));
  return { method: 'POST', scheme: 'http', authority: '', path, fields, body };
}

function failed(errors: readonly GraphqlError[], data: unknown): HeddleError {
  const [first] = errors;
  const given = first?.extensions?.code;
  const reason = typeof given === 'string' && /^[A-Z][A-Z0-9_]*$/.test(given) ? given : 'GRAPHQL_ERROR';
  const texts = errors.map(({ message, path }) =>
    path === undefined ? message : `${path.join('.')}: ${message}`,
  );
  return new HeddleError({
    code: codeOfExtension[reason] ?? 'unknown',
    reason,
    message: `the GraphQL server answered with errors: ${texts.join('; ')}`,
    details: [{ type: 'graphql.Answer', value: { errors, data } }],
  });
}
