import { type Call, HeddleError } from '@heddle/kernel';
import { emptyBody, Fields, type HttpRequest, type HttpService, wholeBody } from '@heddle/wire';
import { type Json, textOr } from '../contract/json.ts';
import type { HttpOperationIn } from '../operation/operation.ts';
import { filledPath } from '../operation/path-values.ts';

/** What is tried. */
export interface HttpTry {
  readonly operation: HttpOperationIn;
  /** `host:port` of who is asked. */
  readonly authority: string;
  /** By name, of path, query and header alike; a list is repeated. */
  readonly parameters: Readonly<Record<string, string | readonly string[]>>;
  /** Sent as JSON; undefined: nothing. */
  readonly body?: Json | undefined;
  /** Beside those that are parameters, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What came back. */
export interface HttpTried {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const longestAnswerBytes = 4 * 1024 * 1024;

/** The request for an operation. Throws `invalid_argument` / `BAD_PARAMETERS` for names that it does not have, or lacks. */
export function httpTryRequest(wanted: HttpTry): HttpRequest {
  const { operation, authority, parameters, body, headers = {} } = wanted;
  const placed = { path: {}, query: {}, header: {} } as Record<string, Record<string, readonly string[]>>;
  const problems: string[] = [];
  for (const parameter of operation.parameters) {
    const [name, place] = [textOr(parameter['name']), textOr(parameter['in'])];
    const value = parameters[name];
    if (value !== undefined) (placed[place] ??= {})[name] = [value].flat();
    else if (parameter['required'] === true) problems.push(`${name} is missing`);
  }
  const known = operation.parameters.map((parameter) => textOr(parameter['name']));
  for (const name of Object.keys(parameters))
    if (!known.includes(name))
      problems.push(`${name} is no parameter of it (it has ${known.join(', ') || 'none'})`);
  if (problems.length > 0) throw badParameters(operation.id, problems);
  const one = (values: Record<string, readonly string[]> = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(values).map(([name, [first = '']]) => [name, first]));
  const query = new URLSearchParams(
    Object.entries(placed['query'] ?? {}).flatMap(([name, values]) => values.map((value) => [name, value])),
  ).toString();
  const path = filledPath(operation.path, one(placed['path']));
  const fields = Fields.of({ accept: 'application/json', ...one(placed['header']), ...headers });
  if (body !== undefined && fields.get('content-type') === undefined)
    fields.append('content-type', 'application/json');
  return {
    method: operation.method,
    scheme: 'http',
    authority,
    path: query === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${query}`,
    fields,
    body: body === undefined ? emptyBody : wholeBody(new TextEncoder().encode(JSON.stringify(body))),
  };
}

/** Asks once, and reads the whole answer, whatever its status. */
export async function tryHttp(service: HttpService, wanted: HttpTry, call: Call): Promise<HttpTried> {
  const { status, fields, body } = await service(httpTryRequest(wanted), call);
  const text = new TextDecoder().decode(await body.bytes(longestAnswerBytes));
  return { status, headers: Object.fromEntries(fields), body: text };
}

function badParameters(id: string, problems: readonly string[]): HeddleError {
  const message = `${id}: ${problems.join('; ')}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_PARAMETERS', message, sent: false });
}
