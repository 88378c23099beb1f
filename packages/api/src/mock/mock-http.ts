import {
  emptyBody,
  Fields,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  wholeBody,
} from '@heddle/wire';
import { dereferenced, isObject, type Json, type JsonObject, objectsIn } from '../contract/json.ts';
import { chosenMedia, essence, inRange, isJson, type Media, mediaFor } from '../contract/media.ts';
import { schemaCheck, type SchemaCheck } from '../contract/schema-check.ts';
import { exampleIn, schemaExample } from '../example/schema-example.ts';
import { httpOperations } from '../operation/http-operations.ts';
import type { HttpOperationIn } from '../operation/operation.ts';
import { type PathValues, pathValues } from '../operation/path-values.ts';
import { parameterProblems } from './parameter-problems.ts';

const longestBodyBytes = 1024 * 1024;

interface Matched {
  readonly operation: HttpOperationIn;
  readonly values: PathValues;
}

/** The HTTP part of a mock. */
export function mockHttp(document: JsonObject): HttpService {
  const operations = httpOperations(document);
  const check = schemaCheck(document);
  return async (request) => {
    const [path = '/', query = ''] = request.path.split('?', 2);
    const matches = operations.flatMap((operation): Matched[] => {
      const values = pathValues(operation.path, path);
      return values === undefined || !hasQuery(operation.path, query) ? [] : [{ operation, values }];
    });
    // A plain segment before a name in braces.
    const candidates = matches.toSorted(
      (a, b) =>
        Object.keys(a.values).length - Object.keys(b.values).length ||
        b.operation.path.length - a.operation.path.length,
    );
    const matched = candidates.find(({ operation: { method } }) => method === request.method);
    if (matched === undefined) return unmatched(request, candidates);
    const problems = [
      ...parameterProblems(
        document,
        matched.operation,
        matched.values,
        new URLSearchParams(query),
        request.fields,
        check,
      ),
      ...(await bodyProblems(matched.operation, request, check)),
    ];
    if (problems.length > 0) return problem(400, 'CONTRACT_REFUSES', problems.join('; '));
    return answerOf(document, matched.operation, request);
  };
}

/** Whether a query has what a path such as `/?Action=Start` wants of it. */
function hasQuery(template: string, query: string): boolean {
  const [, wanted] = /\?([^#]*)/.exec(template) ?? [];
  if (wanted === undefined) return true;
  const given = new URLSearchParams(query);
  return [...new URLSearchParams(wanted)].every(([name, value]) => given.getAll(name).includes(value));
}

function unmatched({ method, path, body }: HttpRequest, candidates: readonly Matched[]): HttpResponse {
  body.cancel();
  if (candidates.length === 0) return problem(404, 'NO_SUCH_PATH', `the contract has nothing at ${path}`);
  const answer = problem(405, 'METHOD_NOT_ALLOWED', `the contract has no ${method} here`);
  answer.fields.append('allow', candidates.map(({ operation }) => operation.method).join(', '));
  return answer;
}

async function bodyProblems(
  { body }: HttpOperationIn,
  request: HttpRequest,
  check: SchemaCheck,
): Promise<string[]> {
  if (body === undefined) {
    request.body.cancel();
    return [];
  }
  const bytes = await request.body.bytes(longestBodyBytes);
  if (bytes.byteLength === 0) return body['required'] === true ? ['the content is missing'] : [];
  const type = request.fields.get('content-type') ?? '';
  const media = mediaFor(body, type);
  if (media === undefined) {
    const expected = objectsIn(body['content']).map(([one]) => one);
    return [`content-type: expected ${expected.join(' or ')}, found "${essence(type)}"`];
  }
  if (!isJson(type)) return [];
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const { schema } = media[1];
    return isObject(schema) ? check(schema, value, 'request').map((one) => `content: ${one}`) : [];
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    return ['the content: expected JSON'];
  }
}

function answerOf(
  document: JsonObject,
  { answers, method }: HttpOperationIn,
  { fields }: HttpRequest,
): HttpResponse {
  const wanted = /(?:^|[,;\s])code=(\d{3})\b/.exec(fields.get('prefer') ?? '')?.[1];
  const found =
    wanted === undefined
      ? (answers.find(([status]) => /^2(\d\d|XX)$/.test(status)) ?? answers[0])
      : answerFor(answers, wanted);
  if (found === undefined && wanted !== undefined)
    return problem(400, 'NO_SUCH_ANSWER', `the contract has no answer ${wanted} here`);
  if (found === undefined) return { status: 200, fields: new Fields(), body: emptyBody };
  const [status, answer] = found;
  const code =
    Number(wanted ?? (/^\d{3}$/.test(status) ? status : status.replace(/^(\d)XX$/, '$100'))) || 200;
  const headers = Fields.of(headersOf(document, answer));
  const media = acceptedMedia(answer, fields.get('accept') ?? '*/*');
  if (media === undefined || method === 'HEAD' || code === 204 || code === 304)
    return { status: code, fields: headers, body: emptyBody };
  const [type, content] = written(media, exampleIn(document, media[1], 'response'));
  headers.append('content-type', type);
  return { status: code, fields: headers, body: wholeBody(new TextEncoder().encode(content)) };
}

function answerFor(
  answers: HttpOperationIn['answers'],
  wanted: string,
): HttpOperationIn['answers'][number] | undefined {
  const named = (name: string): HttpOperationIn['answers'][number] | undefined =>
    answers.find(([status]) => status === name);
  return named(wanted) ?? named(`${wanted.slice(0, 1)}XX`) ?? named('default');
}

/** What the client would rather have, as far as the contract has it. */
function acceptedMedia(answer: JsonObject, accept: string): Media | undefined {
  const chosen = chosenMedia(answer);
  const ranges = accept.split(',').map(essence);
  const isAccepted = ([type]: Media): boolean => ranges.some((range) => inRange(essence(type), range));
  if (chosen === undefined || isAccepted(chosen)) return chosen;
  return objectsIn(answer['content']).find(isAccepted) ?? chosen;
}

/** The type and the text of an example. A range is answered with what fits the example. */
function written([given]: Media, example: Json): readonly [type: string, content: string] {
  const isText = typeof example === 'string';
  const type = given.includes('*') ? (isText ? 'text/plain' : 'application/json') : given;
  return [type, isText && !isJson(type) ? example : `${JSON.stringify(example)}\n`];
}

/** Those that an answer is said to have, each with an example. */
function headersOf(document: JsonObject, answer: JsonObject): Record<string, string> {
  const made: Record<string, string> = {};
  for (const [name, given] of objectsIn(answer['headers'])) {
    const header = dereferenced(document, given) ?? {};
    if (/^content-(type|length|encoding)$|^(transfer-encoding|connection)$/i.test(name)) continue;
    const example = header['example'] ?? schemaExample(document, header['schema'], 'response');
    const text = typeof example === 'string' ? example : JSON.stringify(example);
    if (/^[!-~]+( [!-~]+)*$/.test(text)) made[name.toLowerCase()] = text;
  }
  return made;
}

function problem(status: number, reason: string, detail: string): HttpResponse {
  const body = new TextEncoder().encode(`${JSON.stringify({ title: reason, status, detail, reason })}\n`);
  return { status, fields: Fields.of({ 'content-type': 'application/problem+json' }), body: wholeBody(body) };
}
