import type { FieldChanges } from '@heddle/proxy/model';
import {
  clusterName,
  type HeaderMatch,
  type PathCondition,
  type RetryRules,
  type RouteRule,
  type RuleAction,
  type RuleCors,
  type RuleFault,
  type RuleMatch,
  type RuleMirror,
  type RuleRewrite,
  type StringMatch,
} from '../model/index.ts';
import {
  type CorsPolicy,
  type Destination,
  durationMs,
  type HeaderOperations,
  type HttpFault,
  type HttpMatch,
  type HttpRule,
  type ResourceOf,
  type StringMatch as WrittenMatch,
} from '../resources/index.ts';
import { originOf, type Translation } from './scope.ts';

/** Where the rules are for: the port of a service inside of the mesh, or a gateway. */
export interface RuleUse {
  /** `mesh`, or the gateway as `namespace/name`. */
  readonly gateway: string;
  readonly port: number;
}

/** Istio retries where nothing is written: twice, when it is safe or was refused. */
export const defaultRetry: RetryRules = {
  retries: 2,
  attemptTimeoutMs: undefined,
  on: ['connect-failure', 'refused-stream', 'unavailable', 'cancelled'],
  backoffMs: undefined,
};

/** The rules of a VirtualService for one use, in its order; a delegate's rules stand in the place of who names it. */
export function httpRules(
  service: ResourceOf<'VirtualService'>,
  use: RuleUse,
  translation: Translation,
): readonly RouteRule[] {
  const rules = service.spec.http ?? [];
  return rules.flatMap((rule, index) => ruleOf(rule, index, service, use, translation));
}

function ruleOf(
  rule: HttpRule,
  index: number,
  service: ResourceOf<'VirtualService'>,
  use: RuleUse,
  translation: Translation,
): readonly RouteRule[] {
  const written = rule.match ?? [];
  const matches = written.filter((match) => isFor(match, service, use));
  if (written.length > 0 && matches.length === 0) return [];
  if (rule.delegate !== undefined) return delegated(rule, matches, service, use, translation);
  const { namespace, name } = service.metadata;
  const action = actionOf(rule, namespace, use, translation);
  if (action === undefined) return [];
  const destination = (each: Destination): string => clusterOf(each, namespace, use, translation);
  const mirrors = mirrorsOf(rule, destination);
  const rewrite = rewriteOf(rule);
  const fault = rule.fault === undefined ? undefined : faultOf(rule.fault);
  const timeoutMs = rule.timeout === undefined ? 0 : durationMs(rule.timeout);
  return [
    {
      name: rule.name ?? `${name}.${index}`,
      origin: originOf(service),
      matches: matches.map(matchOf),
      action,
      retry: retryOf(rule),
      ...(rewrite !== undefined && { rewrite }),
      ...(rule.headers?.request !== undefined && { request: changes(rule.headers.request) }),
      ...(rule.headers?.response !== undefined && { response: changes(rule.headers.response) }),
      ...(rule.corsPolicy !== undefined && { cors: corsOf(rule.corsPolicy) }),
      ...(timeoutMs > 0 && { timeoutMs }),
      ...(fault !== undefined && { fault }),
      ...(mirrors.length > 0 && { mirrors }),
    },
  ];
}

function isFor(match: HttpMatch, { spec, metadata }: ResourceOf<'VirtualService'>, use: RuleUse): boolean {
  const gateways = match.gateways ?? spec.gateways ?? ['mesh'];
  const named = gateways.map((each) =>
    each === 'mesh' || each.includes('/') ? each : `${metadata.namespace}/${each}`,
  );
  return named.includes(use.gateway) && (match.port === undefined || match.port === use.port);
}

/** Both the delegating rule's match and the delegate's own must hold: each pair becomes one match. */
function delegated(
  rule: HttpRule,
  matches: readonly HttpMatch[],
  service: ResourceOf<'VirtualService'>,
  use: RuleUse,
  translation: Translation,
): readonly RouteRule[] {
  const { name = '', namespace = service.metadata.namespace } = rule.delegate ?? {};
  const found = translation.resources.find(
    (each) =>
      each.type === 'VirtualService' && each.metadata.name === name && each.metadata.namespace === namespace,
  );
  // A delegate has no hosts of its own, and none of its rules delegates further.
  if (found?.type !== 'VirtualService' || (found.spec.hosts ?? []).length > 0) return [];
  const own = { ...found, spec: { ...found.spec, gateways: service.spec.gateways ?? ['mesh'] } };
  const inner = (own.spec.http ?? []).filter((each) => each.delegate === undefined);
  return httpRules({ ...own, spec: { ...own.spec, http: inner } }, use, translation).map((each) => ({
    ...each,
    matches: pairs(matches.map(matchOf), each.matches),
  }));
}

function pairs(outer: readonly RuleMatch[], inner: readonly RuleMatch[]): readonly RuleMatch[] {
  if (outer.length === 0) return inner;
  if (inner.length === 0) return outer;
  return outer.flatMap((one) =>
    inner.map((other) => ({
      ...one,
      ...other,
      headers: [...(one.headers ?? []), ...(other.headers ?? [])],
      query: [...(one.query ?? []), ...(other.query ?? [])],
    })),
  );
}

function actionOf(
  rule: HttpRule,
  namespace: string,
  use: RuleUse,
  translation: Translation,
): RuleAction | undefined {
  if (rule.redirect !== undefined) return redirectOf(rule.redirect);
  if (rule.directResponse !== undefined) {
    const { status, body } = rule.directResponse;
    const text =
      body?.string ?? (body?.bytes === undefined ? '' : Buffer.from(body.bytes, 'base64').toString('utf8'));
    return { kind: 'respond', status, body: text };
  }
  const route = rule.route ?? [];
  if (route.length === 0) return undefined;
  return {
    kind: 'forward',
    shares: route.map(({ destination, weight, headers }) => ({
      cluster: clusterOf(destination, namespace, use, translation),
      // A weight that is not written is 0 beside others, all where it is alone.
      weight: weight ?? (route.length === 1 ? 1 : 0),
      ...(headers?.request !== undefined && { request: changes(headers.request) }),
      ...(headers?.response !== undefined && { response: changes(headers.response) }),
    })),
  };
}

/** The cluster of a destination. Without a port it is the service's only one, else the port that was called. */
export function clusterOf(
  { host, subset = '', port }: Destination,
  namespace: string,
  use: Pick<RuleUse, 'port'>,
  { directory }: Translation,
): string {
  const service = directory.find(host, namespace);
  const only = service?.ports.length === 1 ? service.ports[0]?.number : undefined;
  return clusterName({
    host: service?.host ?? directory.fullName(host, namespace),
    port: port?.number ?? only ?? use.port,
    subset,
  });
}

function redirectOf(redirect: NonNullable<HttpRule['redirect']>): RuleAction {
  const { uri, prefixRewrite, authority, scheme, port, redirectCode = 301 } = redirect;
  return {
    kind: 'redirect',
    status: redirectCode,
    to: {
      scheme: scheme === 'http' || scheme === 'https' ? scheme : undefined,
      host: authority,
      port,
      path:
        uri !== undefined
          ? { kind: 'full', value: uri }
          : prefixRewrite === undefined
            ? undefined
            : { kind: 'prefix', value: prefixRewrite },
    },
  };
}

function rewriteOf({ rewrite }: HttpRule): RuleRewrite | undefined {
  if (rewrite === undefined) return undefined;
  const { uri, authority, uriRegexRewrite } = rewrite;
  return {
    ...(authority !== undefined && { authority }),
    ...(uri !== undefined && { path: { kind: 'prefix', to: uri } }),
    ...(uriRegexRewrite !== undefined && {
      path: { kind: 'regex', pattern: uriRegexRewrite.match ?? '', to: uriRegexRewrite.rewrite ?? '' },
    }),
  };
}

function retryOf({ retries }: HttpRule): RetryRules {
  if (retries === undefined) return defaultRetry;
  const { attempts = 2, perTryTimeout, retryOn, backoff, retryRemoteLocalities } = retries;
  return {
    retries: attempts,
    attemptTimeoutMs: perTryTimeout === undefined ? undefined : durationMs(perTryTimeout),
    on: retryOn === undefined ? defaultRetry.on : retryOn.split(',').map((each) => each.trim()),
    backoffMs: backoff === undefined ? undefined : durationMs(backoff),
    ...(retryRemoteLocalities === true && { remoteLocalities: true }),
  };
}

/** A share that is not written is all requests. */
function faultOf({ delay, abort }: HttpFault): RuleFault {
  const grpc = abort?.grpcStatus === undefined ? -1 : grpcStatuses.indexOf(abort.grpcStatus.toUpperCase());
  return {
    ...(delay?.fixedDelay !== undefined && {
      delay: { percent: delay.percentage?.value ?? 100, ms: durationMs(delay.fixedDelay) },
    }),
    ...(abort?.httpStatus !== undefined && {
      abort: { percent: abort.percentage?.value ?? 100, status: abort.httpStatus },
    }),
    ...(grpc >= 0 && { abort: { percent: abort?.percentage?.value ?? 100, grpcStatus: grpc } }),
  };
}

const grpcStatuses: readonly string[] = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

function mirrorsOf(rule: HttpRule, cluster: (destination: Destination) => string): readonly RuleMirror[] {
  const { mirror, mirrorPercentage, mirrors = [] } = rule;
  return [
    ...(mirror === undefined ? [] : [{ cluster: cluster(mirror), percent: mirrorPercentage?.value ?? 100 }]),
    ...mirrors.map(({ destination, percentage }) => ({
      cluster: cluster(destination),
      percent: percentage?.value ?? 100,
    })),
  ];
}

/** Changes of fields, names in lower case. */
export function changes({ set = {}, add = {}, remove = [] }: HeaderOperations): FieldChanges {
  const pairs = (record: Readonly<Record<string, string>>): (readonly [string, string])[] =>
    Object.entries(record).map(([name, value]) => [name.toLowerCase(), value] as const);
  return { remove: remove.map((name) => name.toLowerCase()), set: pairs(set), add: pairs(add) };
}

function corsOf(cors: CorsPolicy): RuleCors {
  return {
    origins: (cors.allowOrigins ?? []).flatMap((origin) => stringMatch(origin) ?? []),
    methods: cors.allowMethods ?? [],
    headers: cors.allowHeaders ?? [],
    expose: cors.exposeHeaders ?? [],
    credentials: cors.allowCredentials ?? false,
    maxAgeSeconds: cors.maxAge === undefined ? undefined : durationMs(cors.maxAge) / 1000,
  };
}

function matchOf(match: HttpMatch): RuleMatch {
  const path = pathOf(match);
  const [method, authority, scheme] = [match.method, match.authority, match.scheme].map(stringMatch);
  const headers = [
    ...Object.entries(match.headers ?? {}).map(([name, value]) => headerMatch(name, value)),
    ...Object.entries(match.withoutHeaders ?? {}).map(([name, value]) => without(name, value)),
  ];
  const query = Object.entries(match.queryParams ?? {}).map(([name, value]) => valueMatch(name, value));
  const source = { namespace: match.sourceNamespace ?? '', labels: match.sourceLabels ?? {} };
  return {
    ...(path !== undefined && { path }),
    ...(method !== undefined && { method }),
    ...(authority !== undefined && { authority }),
    ...(scheme !== undefined && { scheme }),
    ...(headers.length > 0 && { headers }),
    ...(query.length > 0 && { query }),
    ...((source.namespace !== '' || Object.keys(source.labels).length > 0) && { source }),
  };
}

function pathOf({ uri, ignoreUriCase }: HttpMatch): PathCondition | undefined {
  const match = stringMatch(uri);
  if (match === undefined) return undefined;
  return match.kind !== 'regex' && ignoreUriCase === true ? { ...match, ignoreCase: true } : match;
}

function stringMatch(written: WrittenMatch | undefined): StringMatch | undefined {
  const { exact, prefix, regex } = written ?? {};
  if (exact !== undefined) return { kind: 'exact', value: exact };
  if (prefix !== undefined) return { kind: 'prefix', value: prefix };
  return regex === undefined ? undefined : { kind: 'regex', value: regex };
}

function valueMatch(name: string, written: WrittenMatch): HeaderMatch {
  return { name, ...(stringMatch(written) ?? { kind: 'present', value: '' }) };
}

function headerMatch(name: string, written: WrittenMatch): HeaderMatch {
  return valueMatch(name.toLowerCase(), written);
}

/** `withoutHeaders` with an empty match: the header must not be there. */
function without(name: string, written: WrittenMatch): HeaderMatch {
  const match = headerMatch(name, written);
  return match.kind === 'present' ? { ...match, kind: 'absent' } : { ...match, not: true };
}
