import { stringify } from 'yaml';
import type { Cluster, MeshModel, RouteRule, RuleMatch, ServiceListener } from '../model/index.ts';

/** Rules of a mesh as Linkerd takes them. */
export interface LinkerdExport {
  /** HTTPRoutes, ServiceProfiles, and a Service for each subset that a route sends to. */
  readonly yaml: string;
  /** What Linkerd cannot say, by service. */
  readonly notes: readonly string[];
}

/**
 * Writes the rules of Kubernetes Services for Linkerd: an HTTPRoute with the shares, matches, redirects, headers and
 * timeouts, a ServiceProfile with retries. Linkerd sends to Services only, so a subset becomes one; `labels` says which
 * instances a cluster's subset has.
 */
export function linkerd(
  model: MeshModel,
  labels: (cluster: Cluster) => Readonly<Record<string, string>> | undefined,
): LinkerdExport {
  const documents: object[] = [];
  const notes: string[] = [];
  const subsets = new Set<string>();
  for (const listener of model.services) {
    const parts = /^([^.]+)\.([^.]+)\.svc\./.exec(listener.host);
    const written = listener.rules.filter(({ origin }) => origin !== '');
    if (parts === null || written.length === 0) continue;
    const [, name = '', namespace = ''] = parts;
    documents.push(routeOf(listener, written, name, namespace, model, notes));
    const profile = profileOf(listener, written, namespace);
    if (profile !== undefined) documents.push(profile);
    for (const cluster of subsetsOf(written, model)) {
      if (subsets.has(cluster.name)) continue;
      subsets.add(cluster.name);
      const selector = labels(cluster);
      if (selector === undefined)
        notes.push(`${cluster.host}: the labels of the subset ${cluster.subset} are not known`);
      else documents.push(serviceOf(cluster, namespace, selector));
    }
    notes.push(...limitsOf(listener, written, model));
  }
  return { yaml: documents.map((each) => stringify(each)).join('---\n'), notes: [...new Set(notes)] };
}

function routeOf(
  listener: ServiceListener,
  rules: readonly RouteRule[],
  name: string,
  namespace: string,
  model: MeshModel,
  notes: string[],
): object {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: `${name}-${listener.port}`, namespace },
    spec: {
      parentRefs: [{ group: '', kind: 'Service', name, port: listener.port }],
      rules: rules.map((rule) => ruleOf(rule, model, notes)),
    },
  };
}

function ruleOf(rule: RouteRule, model: MeshModel, notes: string[]): object {
  const { action, matches, timeoutMs } = rule;
  return {
    ...(matches.length > 0 && { matches: matches.map(matchOf) }),
    ...filtersOf(rule),
    ...(action.kind === 'forward' && {
      backendRefs: action.shares.flatMap(({ cluster, weight }) => {
        const target = model.clusters.get(cluster);
        const [service, namespace] = target?.host.split('.') ?? [];
        if (target === undefined || !/\.svc\./.test(target.host)) {
          notes.push(`${rule.origin}: ${cluster} is no Service, Linkerd cannot send there`);
          return [];
        }
        return [
          {
            name: target.subset === '' ? service : `${service}-${target.subset}`,
            namespace,
            port: target.port,
            weight,
          },
        ];
      }),
    }),
    ...(timeoutMs !== undefined && { timeouts: { request: `${timeoutMs}ms` } }),
  };
}

function filtersOf({ action, request, response, rewrite }: RouteRule): object {
  const pairs = (list: readonly (readonly [string, string])[]): object[] =>
    list.map(([name, value]) => ({ name, value }));
  const modifier = (changes: NonNullable<RouteRule['request']>): object => ({
    ...(changes.set.length > 0 && { set: pairs(changes.set) }),
    ...(changes.add.length > 0 && { add: pairs(changes.add) }),
    ...(changes.remove.length > 0 && { remove: changes.remove }),
  });
  const redirect = action.kind === 'redirect' && typeof action.to === 'object' ? action : undefined;
  const filters = [
    ...(request === undefined
      ? []
      : [{ type: 'RequestHeaderModifier', requestHeaderModifier: modifier(request) }]),
    ...(response === undefined
      ? []
      : [{ type: 'ResponseHeaderModifier', responseHeaderModifier: modifier(response) }]),
    ...(rewrite?.path?.kind === 'prefix'
      ? [
          {
            type: 'URLRewrite',
            urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: rewrite.path.to } },
          },
        ]
      : []),
    ...(redirect === undefined ? [] : [redirectOf(redirect)]),
  ];
  return filters.length === 0 ? {} : { filters };
}

function redirectOf({ status, to }: Extract<RouteRule['action'], { kind: 'redirect' }>): object {
  if (typeof to === 'string') return {};
  const { scheme, host, port, path } = to;
  return {
    type: 'RequestRedirect',
    requestRedirect: {
      statusCode: status,
      ...(scheme !== undefined && { scheme }),
      ...(host !== undefined && { hostname: host }),
      ...(port !== undefined && { port }),
      ...(path !== undefined && {
        path:
          path.kind === 'full'
            ? { type: 'ReplaceFullPath', replaceFullPath: path.value }
            : { type: 'ReplacePrefixMatch', replacePrefixMatch: path.value },
      }),
    },
  };
}

function matchOf({ path, method, headers = [], query = [] }: RuleMatch): object {
  const kinds = {
    exact: 'Exact',
    prefix: 'PathPrefix',
    segments: 'PathPrefix',
    regex: 'RegularExpression',
  } as const;
  const valueType = (kind: string): string => (kind === 'exact' ? 'Exact' : 'RegularExpression');
  const pattern = (kind: string, value: string): string =>
    kind === 'prefix' ? `${escaped(value)}.*` : kind === 'present' ? '.*' : value;
  const values = (
    list: readonly { readonly name: string; readonly kind: string; readonly value: string }[],
  ): object[] =>
    list.map(({ name, kind, value }) => ({ name, type: valueType(kind), value: pattern(kind, value) }));
  return {
    ...(path !== undefined && { path: { type: kinds[path.kind], value: path.value } }),
    ...(method?.kind === 'exact' && { method: method.value }),
    ...(headers.length > 0 && { headers: values(headers.filter(isExpressible)) }),
    ...(query.length > 0 && { queryParams: values(query) }),
  };
}

function isExpressible(header: { readonly kind: string; readonly not?: boolean }): boolean {
  return header.kind !== 'absent' && header.not !== true;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}

/** Retries are a property of Linkerd's ServiceProfile: a budget for the service, and which routes may be tried again. */
function profileOf(
  listener: ServiceListener,
  rules: readonly RouteRule[],
  namespace: string,
): object | undefined {
  const retrying = rules.filter(
    ({ retry, origin }) =>
      origin !== '' && retry !== undefined && retry.on.includes('5xx') && retry.retries > 0,
  );
  if (retrying.length === 0) return undefined;
  return {
    apiVersion: 'linkerd.io/v1alpha2',
    kind: 'ServiceProfile',
    metadata: { name: listener.host, namespace },
    spec: {
      routes: retrying.map((rule) => ({
        name: rule.name,
        condition: conditionOf(rule.matches),
        isRetryable: true,
        ...(rule.timeoutMs !== undefined && { timeout: `${rule.timeoutMs}ms` }),
      })),
      retryBudget: { retryRatio: 0.2, minRetriesPerSecond: 10, ttl: '10s' },
    },
  };
}

function conditionOf(matches: readonly RuleMatch[]): object {
  const each = matches.map(({ path, method }) => ({
    pathRegex:
      path === undefined
        ? '.*'
        : path.kind === 'regex'
          ? path.value
          : `${escaped(path.value)}${path.kind === 'exact' ? '' : '.*'}`,
    ...(method?.kind === 'exact' && { method: method.value }),
  }));
  if (each.length === 0) return { pathRegex: '.*' };
  return each.length === 1 ? (each[0] ?? {}) : { any: each };
}

function subsetsOf(rules: readonly RouteRule[], { clusters }: MeshModel): readonly Cluster[] {
  return rules
    .flatMap(({ action }) => (action.kind === 'forward' ? action.shares : []))
    .flatMap(({ cluster }) => clusters.get(cluster) ?? [])
    .filter(({ subset }) => subset !== '');
}

function serviceOf(
  { host, subset, port }: Cluster,
  namespace: string,
  selector: Readonly<Record<string, string>>,
): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `${host.split('.')[0]}-${subset}`, namespace },
    spec: { selector, ports: [{ port, protocol: 'TCP' }] },
  };
}

/** What Linkerd has no word for. */
function limitsOf(
  listener: ServiceListener,
  rules: readonly RouteRule[],
  { clusters }: MeshModel,
): readonly string[] {
  const notes: string[] = [];
  for (const rule of rules) {
    const cannot = [
      ...(rule.fault === undefined ? [] : ['faults']),
      ...((rule.mirrors ?? []).length === 0 ? [] : ['mirrors']),
      ...(rule.cors === undefined ? [] : ['CORS']),
      ...(rule.action.kind === 'respond' ? ['direct responses'] : []),
      ...(rule.matches.some(({ source }) => source !== undefined) ? ['matches by the caller’s labels'] : []),
      ...(rule.matches.some(({ headers = [] }) => headers.some((header) => !isExpressible(header)))
        ? ['withoutHeaders']
        : []),
    ];
    if (cannot.length > 0) notes.push(`${rule.origin}: Linkerd has no ${cannot.join(', ')}`);
  }
  const cluster = clusters.get(`outbound|${listener.port}||${listener.host}`);
  if (cluster?.balance.hash !== undefined) notes.push(`${listener.host}: Linkerd has no consistent hash`);
  if (cluster?.outlier !== undefined) {
    notes.push(
      `${listener.host}: outlier detection is the annotation balancer.linkerd.io/failure-accrual of the Service`,
    );
  }
  return notes;
}
