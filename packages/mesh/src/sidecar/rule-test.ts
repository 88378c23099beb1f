import { HeddleError } from '@heddle/kernel';
import { hostOf, type Pattern, pattern } from '@heddle/proxy/layers';
import type { HttpRequest } from '@heddle/wire';
import type { HeaderMatch, PathCondition, RuleMatch, StringMatch } from '../model/index.ts';

/** What of a request rules ask about, taken apart once. */
export class AskedRequest {
  readonly request: HttpRequest;
  readonly path: string;
  #query: URLSearchParams | undefined;

  constructor(request: HttpRequest) {
    const question = request.path.indexOf('?');
    this.request = request;
    this.path = question === -1 ? request.path : request.path.slice(0, question);
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.request.path.slice(this.path.length)));
  }
}

/** Whether a request is one of those that a rule is for. */
export type RequestTest = (asked: AskedRequest) => boolean;

/** Makes a condition ready; undefined: it holds for every request. Throws `invalid_argument` / `BAD_RULE`. */
export function ruleTest(match: RuleMatch): RequestTest | undefined {
  const { path, method, authority, scheme, headers = [], query = [] } = match;
  const tests: RequestTest[] = [];
  if (path !== undefined) {
    const holds = pathTest(path);
    tests.push((asked) => holds(asked.path));
  }
  if (method !== undefined) {
    const holds = textTest(method);
    tests.push(({ request }) => holds(request.method));
  }
  if (authority !== undefined) {
    const holds = textTest(authority);
    // With and without the port: rules are written either way.
    tests.push(({ request }) => holds(request.authority) || holds(hostOf(request.authority)));
  }
  if (scheme !== undefined) {
    const holds = textTest(scheme);
    tests.push(({ request }) => holds(request.scheme));
  }
  for (const header of headers) {
    const holds = valueTest(header);
    tests.push(({ request }) => holds(request.fields.all(header.name)));
  }
  for (const parameter of query) {
    const holds = valueTest(parameter);
    tests.push((asked) => holds(asked.query.getAll(parameter.name)));
  }
  const [only] = tests;
  if (tests.length < 2) return only;
  return (asked) => tests.every((test) => test(asked));
}

/** Makes a comparison of texts ready. Throws as `ruleTest`. */
export function textTest({ kind, value }: StringMatch): (text: string) => boolean {
  switch (kind) {
    case 'exact':
      return (text) => text === value;
    case 'prefix':
      return (text) => text.startsWith(value);
    case 'regex': {
      const compiled = compiledPattern(value);
      return (text) => compiled.matches(text);
    }
  }
}

function pathTest({ kind, value, ignoreCase = false }: PathCondition): (path: string) => boolean {
  if (kind === 'regex') return textTest({ kind, value });
  const wanted = ignoreCase ? value.toLowerCase() : value;
  const compared = (path: string): string => (ignoreCase ? path.toLowerCase() : path);
  if (kind === 'exact') return (path) => compared(path) === wanted;
  if (kind === 'prefix') return (path) => compared(path).startsWith(wanted);
  const folder = wanted.endsWith('/') ? wanted : `${wanted}/`;
  const itself = folder.slice(0, -1);
  return (path) => compared(path).startsWith(folder) || compared(path) === itself;
}

/** Values of one name are compared joined by commas, as one header with all of them would be. */
function valueTest({ kind, value, not = false }: HeaderMatch): (values: readonly string[]) => boolean {
  if (kind === 'present') return (values) => values.length > 0;
  if (kind === 'absent') return (values) => values.length === 0;
  const holds = textTest({ kind, value });
  return (values) => {
    if (values.length === 0) return false;
    const found = values.length === 1 ? (values[0] as string) : values.join(',');
    return holds(found) !== not;
  };
}

/** A pattern of RE2's syntax. Throws `invalid_argument` / `BAD_RULE` for what is none. */
export function compiledPattern(source: string): Pattern {
  const compiled = pattern(source);
  if (typeof compiled !== 'string') return compiled;
  const message = `${JSON.stringify(source.slice(0, 200))} is no regular expression: ${compiled}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_RULE', message, sent: false });
}
