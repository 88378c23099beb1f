import type { FieldChanges } from '@heddle/proxy/model';
import {
  clusterName,
  type ClusterShare,
  type RouteRule,
  type RuleAction,
  type RuleCors,
  type RuleMatch,
  type RuleMirror,
  type RuleRewrite,
} from '../model/index.ts';
import {
  type BackendObject,
  type BackendRef,
  durationMs,
  type GrpcRouteMatch,
  type GrpcRouteRule,
  type HeaderModifier,
  type HttpRouteMatch,
  type HttpRouteRule,
  type PathModifier,
  type RouteCors,
  type RouteFilter,
  type ValueMatch,
} from '../resources/index.ts';
import type { KubernetesRoute } from './kubernetes-route.ts';
import { originOf, type Translation } from './scope.ts';

/** The rules of a route, the most specific match first, as the Gateway API demands. */
export function kubernetesRules(route: KubernetesRoute, translation: Translation): readonly RouteRule[] {
  const rules = (route.spec.rules ?? []) as readonly (HttpRouteRule | GrpcRouteRule)[];
  return rules.flatMap((rule, index) => {
    const written = (rule.matches ?? []) as readonly (HttpRouteMatch | GrpcRouteMatch)[];
    const matches =
      route.type === 'HTTPRoute'
        ? (written as readonly HttpRouteMatch[]).map(httpMatch)
        : (written as readonly GrpcRouteMatch[]).map(grpcMatch);
    const made = ruleOf(route, rule, index, translation);
    return matches.length === 0
      ? [{ ...made, matches: [] }]
      : matches.map((match) => ({ ...made, matches: [match] }));
  });
}

/** Exact paths first, then longer prefixes, a method, more headers, more parameters; regular expressions last. */
export function bySpecificity(a: RouteRule, b: RouteRule): number {
  const rank = ({ matches }: RouteRule): readonly number[] => {
    const [match = {}] = matches;
    const { path, method, headers = [], query = [] } = match;
    const kind = path === undefined ? 0 : path.kind === 'exact' ? 3 : path.kind === 'regex' ? 1 : 2;
    return [kind, path?.value.length ?? 0, method === undefined ? 0 : 1, headers.length, query.length];
  };
  const [one, other] = [rank(a), rank(b)];
  for (const [at, value] of one.entries()) if (value !== other[at]) return (other[at] ?? 0) - value;
  return 0;
}

function ruleOf(
  route: KubernetesRoute,
  rule: HttpRouteRule | GrpcRouteRule,
  index: number,
  translation: Translation,
): RouteRule {
  const { metadata } = route;
  const filters = rule.filters ?? [];
  const of = <T>(pick: (filter: RouteFilter) => T | undefined): T | undefined =>
    filters.map(pick).find((found) => found !== undefined);
  const rewrite = of(({ urlRewrite }) => urlRewrite && rewriteOf(urlRewrite));
  const request = of(
    ({ requestHeaderModifier }) => requestHeaderModifier && changesOf(requestHeaderModifier),
  );
  const response = of(
    ({ responseHeaderModifier }) => responseHeaderModifier && changesOf(responseHeaderModifier),
  );
  const cors = of((filter) => filter.cors && corsOf(filter.cors));
  const mirrors = filters.flatMap(({ requestMirror }) =>
    requestMirror === undefined ? [] : [mirrorOf(requestMirror, metadata.namespace, translation)],
  );
  const timeoutMs =
    'timeouts' in rule ? durationMs(rule.timeouts?.request ?? rule.timeouts?.backendRequest ?? '') : 0;
  return {
    name: rule.name ?? `${metadata.name}.${index}`,
    origin: originOf(route),
    matches: [],
    action: actionOf(rule, filters, metadata.namespace, translation),
    ...(rewrite !== undefined && { rewrite }),
    ...(request !== undefined && { request }),
    ...(response !== undefined && { response }),
    ...(cors !== undefined && { cors }),
    ...(mirrors.length > 0 && { mirrors }),
    ...(timeoutMs > 0 && { timeoutMs }),
  };
}

function actionOf(
  rule: HttpRouteRule | GrpcRouteRule,
  filters: readonly RouteFilter[],
  namespace: string,
  translation: Translation,
): RuleAction {
  const redirect = filters.find(({ requestRedirect }) => requestRedirect !== undefined)?.requestRedirect;
  if (redirect !== undefined) {
    const { scheme, hostname, path, port, statusCode = 302 } = redirect;
    const to = { scheme, host: hostname, port, path: path && replacement(path) };
    return { kind: 'redirect', status: statusCode, to };
  }
  const shares = (rule.backendRefs ?? []).map((backend) => shareOf(backend, namespace, translation));
  // Without a backend the answer is 500, as the Gateway API says; a weight of all that is 0 as well.
  if (shares.every(({ weight }) => weight === 0)) return { kind: 'respond', status: 500, body: '' };
  return { kind: 'forward', shares };
}

function shareOf(backend: BackendRef, namespace: string, translation: Translation): ClusterShare {
  const { weight = 1, filters = [] } = backend;
  const request = filters.find((each) => each.requestHeaderModifier !== undefined)?.requestHeaderModifier;
  const response = filters.find((each) => each.responseHeaderModifier !== undefined)?.responseHeaderModifier;
  return {
    cluster: backendCluster(backend, namespace, translation),
    weight,
    ...(request !== undefined && { request: changesOf(request) }),
    ...(response !== undefined && { response: changesOf(response) }),
  };
}

function backendCluster(
  { name, namespace, port }: BackendObject,
  own: string,
  { directory }: Translation,
): string {
  const service = directory.find(name, namespace ?? own);
  const host = service?.host ?? directory.fullName(name, namespace ?? own);
  return clusterName({ host, port: port ?? service?.ports[0]?.number ?? 0, subset: '' });
}

function mirrorOf(
  { backendRef, percent, fraction }: NonNullable<RouteFilter['requestMirror']>,
  namespace: string,
  translation: Translation,
): RuleMirror {
  const share = fraction && (fraction.numerator * 100) / (fraction.denominator ?? 100);
  return { cluster: backendCluster(backendRef, namespace, translation), percent: percent ?? share ?? 100 };
}

function replacement({ type, replaceFullPath = '', replacePrefixMatch = '' }: PathModifier): {
  readonly kind: 'full' | 'prefix';
  readonly value: string;
} {
  return type === 'ReplaceFullPath'
    ? { kind: 'full', value: replaceFullPath }
    : { kind: 'prefix', value: replacePrefixMatch };
}

function rewriteOf({ hostname, path }: NonNullable<RouteFilter['urlRewrite']>): RuleRewrite {
  const to = path && replacement(path);
  return {
    ...(hostname !== undefined && { authority: hostname }),
    ...(to !== undefined && {
      path:
        to.kind === 'prefix'
          ? { kind: 'prefix', to: to.value }
          : { kind: 'regex', pattern: '^.*$', to: to.value },
    }),
  };
}

function changesOf({ set = [], add = [], remove = [] }: HeaderModifier): FieldChanges {
  const pairs = (list: typeof set): (readonly [string, string])[] =>
    list.map(({ name, value }) => [name.toLowerCase(), value] as const);
  return { remove: remove.map((name) => name.toLowerCase()), set: pairs(set), add: pairs(add) };
}

function corsOf(cors: RouteCors): RuleCors {
  return {
    origins: (cors.allowOrigins ?? []).map((origin) =>
      origin.includes('*')
        ? { kind: 'regex', value: origin.split('*').map(escaped).join('.*') }
        : { kind: 'exact', value: origin },
    ),
    methods: cors.allowMethods ?? [],
    headers: cors.allowHeaders ?? [],
    expose: cors.exposeHeaders ?? [],
    credentials: cors.allowCredentials ?? false,
    maxAgeSeconds: cors.maxAge,
  };
}

function httpMatch({ path, headers = [], queryParams = [], method }: HttpRouteMatch): RuleMatch {
  const { type = 'PathPrefix', value = '/' } = path ?? {};
  const kind = type === 'Exact' ? 'exact' : type === 'PathPrefix' ? 'segments' : 'regex';
  return {
    ...(!(kind === 'segments' && value === '/') && { path: { kind, value } }),
    ...(method !== undefined && { method: { kind: 'exact', value: method } }),
    ...(headers.length > 0 && {
      headers: headers.map((each) => ({ ...valueOf(each), name: each.name.toLowerCase() })),
    }),
    ...(queryParams.length > 0 && { query: queryParams.map(valueOf) }),
  };
}

function grpcMatch({ method, headers = [] }: GrpcRouteMatch): RuleMatch {
  const path = method && grpcPath(method);
  return {
    ...(path !== undefined && { path }),
    ...(headers.length > 0 && {
      headers: headers.map((each) => ({ ...valueOf(each), name: each.name.toLowerCase() })),
    }),
  };
}

function grpcPath({
  type = 'Exact',
  service,
  method,
}: NonNullable<GrpcRouteMatch['method']>): RuleMatch['path'] {
  if (type === 'RegularExpression')
    return { kind: 'regex', value: `/${service ?? '[^/]+'}/${method ?? '[^/]+'}` };
  if (service !== undefined && method !== undefined) return { kind: 'exact', value: `/${service}/${method}` };
  if (service !== undefined) return { kind: 'prefix', value: `/${service}/` };
  return method === undefined ? undefined : { kind: 'regex', value: `/[^/]+/${escaped(method)}` };
}

function valueOf({ name, value, type = 'Exact' }: ValueMatch): {
  readonly name: string;
  readonly kind: 'exact' | 'regex';
  readonly value: string;
} {
  return { name, kind: type === 'Exact' ? 'exact' : 'regex', value };
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
