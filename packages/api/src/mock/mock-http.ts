import {
  emptyBody,
  Fields,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  wholeBody,
} from '@heddle/wire';
import { type Json, type JsonObject, objectOr, objectsIn, textOr } from '../contract/json.ts';
import { schemaCheck, type SchemaCheck } from '../contract/schema-check.ts';
import { schemaExample } from '../example/schema-example.ts';
import { type HttpOperationIn, httpOperations } from '../operation/operations.ts';
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
      return values === undefined ? [] : [{ operation, values }];
    });
    // A plain segment before a name in braces.
    const candidates = matches.toSorted(
      (a, b) => Object.keys(a.values).length - Object.keys(b.values).length,
    );
    const matched = candidates.find(({ operation: { method } }) => method === request.method);
    if (matched === undefined) return unmatched(request, candidates);
    const problems = [
      ...parameterProblems(
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
  const type = (request.fields.get('content-type') ?? '').split(';', 1)[0]?.trim() ?? '';
  const content = objectOr(body['content']);
  const media = content[type];
  if (media === undefined)
    return [`content-type: expected ${Object.keys(content).join(' or ')}, found "${type}"`];
  if (!type.endsWith('json')) return [];
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return check(objectOr(objectOr(media)['schema']), value).map((one) => `content: ${one}`);
  } catch {
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
      ? (answers.find(([status]) => /^2\d\d$/.test(status)) ?? answers[0])
      : (answers.find(([status]) => status === wanted) ?? answers.find(([status]) => status === 'default'));
  if (found === undefined)
    return problem(400, 'NO_SUCH_ANSWER', `the contract has no answer ${wanted ?? ''} here`);
  const [status, answer] = found;
  const code = wanted === undefined ? (/^\d{3}$/.test(status) ? Number(status) : 200) : Number(wanted);
  const [[type, media] = ['', {}]] = objectsIn(answer['content']);
  if (type === '' || method === 'HEAD' || code === 204)
    return { status: code, fields: new Fields(), body: emptyBody };
  const example = exampleIn(document, media);
  const text = type.endsWith('json') ? `${JSON.stringify(example)}\n` : textOr(example);
  return {
    status: code,
    fields: Fields.of({ 'content-type': type }),
    body: wholeBody(new TextEncoder().encode(text)),
  };
}

/** What a media type says as an example, or one of its schema. */
export function exampleIn(document: JsonObject, media: JsonObject): Json {
  const [named] = objectsIn(media['examples']);
  return media['example'] ?? named?.[1]['value'] ?? schemaExample(document, media['schema']);
}

function problem(status: number, reason: string, detail: string): HttpResponse {
  const body = new TextEncoder().encode(`${JSON.stringify({ title: reason, status, detail, reason })}\n`);
  return { status, fields: Fields.of({ 'content-type': 'application/problem+json' }), body: wholeBody(body) };
}
