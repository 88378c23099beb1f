import { list, object, oneOf, type Read, text } from '../document.ts';
import type { PathMatch, RouteMatch, ValueMatch } from '../route.ts';
import { plainPath, regexText, type RouteDocument } from '../route-schema.ts';
import { backend, duration, filters, headerConditions, queryConditions } from './rule-parts.ts';
import { type Rule, type RuleKind, specOf } from './rules.ts';

interface ApiPath {
  type?: 'Exact' | 'PathPrefix' | 'RegularExpression';
  value?: string;
}

interface ApiMatch {
  path?: PathMatch;
  method?: string;
  headers?: ValueMatch[];
  queryParams?: ValueMatch[];
}

const kinds = { Exact: 'exact', PathPrefix: 'prefix', RegularExpression: 'regex' } as const;

const path: Read<PathMatch> = (at) => {
  const made = object<ApiPath>(
    { type: oneOf('Exact', 'PathPrefix', 'RegularExpression'), value: text('a path') },
    [],
  )(at);
  if (made === undefined) return undefined;
  const { type = 'PathPrefix', value = '/' } = made;
  const place = at.key('value');
  const read = type === 'RegularExpression' ? regexText : plainPath;
  if (place !== undefined && read(place) === undefined) return undefined;
  return { kind: kinds[type], value };
};

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'] as const;

const match: Read<Omit<RouteMatch, 'hosts'>> = (at) => {
  const made = object<ApiMatch>(
    { path, method: oneOf(...methods), headers: headerConditions, queryParams: queryConditions },
    [],
  )(at);
  if (made === undefined) return undefined;
  const { path: found = { kind: 'prefix', value: '/' }, method, headers = [], queryParams = [] } = made;
  return { path: found, methods: method === undefined ? [] : [method], headers, query: queryParams };
};

interface ApiRule {
  name?: string;
  matches?: Omit<RouteMatch, 'hosts'>[];
  filters?: RouteDocument;
  backendRefs?: { upstream: string; weight: number }[];
  timeouts?: { request?: number; backendRequest?: number };
}

const rule: Read<Rule> = (at) => {
  const made = object<ApiRule>(
    {
      name: text('a name'),
      matches: list(match, 64),
      filters,
      backendRefs: list(backend, 16),
      timeouts: object<NonNullable<ApiRule['timeouts']>>({ request: duration, backendRequest: duration }, []),
    },
    [],
  )(at);
  if (made === undefined) return undefined;
  const { matches = [], filters: asked = {}, backendRefs = [], timeouts = {}, name } = made;
  // One that is there and has mistakes has been told of.
  if (at.key('backendRefs') === undefined && asked.redirect === undefined)
    return at.problem('expected "backendRefs", or a filter RequestRedirect');
  const { request: timeoutMs, backendRequest: attemptTimeoutMs } = timeouts;
  const document: RouteDocument = {
    ...asked,
    ...(name !== undefined && { name }),
    ...(asked.redirect === undefined && { split: backendRefs }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(attemptTimeoutMs !== undefined && { attemptTimeoutMs }),
  };
  return { matches, document };
};

const http: RuleKind = {
  rule,
  match,
  everything: { path: { kind: 'prefix', value: '/' }, methods: [], headers: [], query: [] },
};

/** Reads the `spec` of an HTTPRoute. */
export const httpRules: ReturnType<typeof specOf> = specOf(http);
