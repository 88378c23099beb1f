import { list, object, oneOf, type Read, text } from '../document.ts';
import type { RouteMatch, ValueMatch } from '../route.ts';
import type { RouteDocument } from '../route-schema.ts';
import { backend, filters, headerConditions } from './rule-parts.ts';
import { type Rule, type RuleKind, specOf } from './rules.ts';

interface ApiMethod {
  type?: 'Exact';
  service?: string;
  method?: string;
}

const isGrpc: ValueMatch = { name: 'content-type', kind: 'prefix', value: 'application/grpc' };
const everything: RuleKind['everything'] = {
  path: { kind: 'prefix', value: '/' },
  methods: ['POST'],
  headers: [isGrpc],
  query: [],
};

const match: Read<Omit<RouteMatch, 'hosts'>> = (at) => {
  const method = object<ApiMethod>(
    {
      type: oneOf('Exact'),
      service: text('the full name of a service', (value) => /^[A-Za-z_][\w.]*$/.test(value)),
      method: text('the name of a method', (value) => /^[A-Za-z_]\w*$/.test(value)),
    },
    [],
  );
  const made = object<{ method?: ApiMethod; headers?: ValueMatch[] }>(
    { method, headers: headerConditions },
    [],
  )(at);
  if (made === undefined) return undefined;
  const { service, method: called } = made.method ?? {};
  const headers = [isGrpc, ...(made.headers ?? [])];
  if (service === undefined && called === undefined) return { ...everything, headers };
  if (service === undefined)
    return at.problem('expected "service" beside "method": a method of any service is not to be had');
  const path: RouteMatch['path'] =
    called === undefined
      ? { kind: 'prefix', value: `/${service}` }
      : { kind: 'exact', value: `/${service}/${called}` };
  return { ...everything, path, headers };
};

interface ApiRule {
  name?: string;
  matches?: Omit<RouteMatch, 'hosts'>[];
  filters?: RouteDocument;
  backendRefs: { upstream: string; weight: number }[];
}

const rule: Read<Rule> = (at) => {
  const made = object<ApiRule>(
    { name: text('a name'), matches: list(match, 64), filters, backendRefs: list(backend, 16) },
    ['backendRefs'],
  )(at);
  if (made === undefined) return undefined;
  const { matches = [], filters: asked = {}, backendRefs, name } = made;
  const { redirect, rewrite, rewriteRegex, forwardHost } = asked;
  if ([redirect, rewrite, rewriteRegex, forwardHost].some((each) => each !== undefined))
    return at.problem('RequestRedirect and URLRewrite are for HTTPRoute');
  const document: RouteDocument = {
    ...asked,
    ...(name !== undefined && { name }),
    split: backendRefs,
    protocol: 'h2c',
  };
  return { matches, document };
};

/** Reads the `spec` of a GRPCRoute. */
export const grpcRules: ReturnType<typeof specOf> = specOf({ rule, match, everything });
