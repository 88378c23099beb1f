import { HeddleError } from '@heddle/kernel';
import { stringify } from 'yaml';
import type { Json, JsonMembers } from '../inject/json-value.ts';
import { acceptResources } from '../resources/index.ts';
import type {
  AccessRule,
  ConnectionPool,
  LoadBalancing,
  RoutingRule,
  SecurityPolicy,
  ServiceInfo,
  SidecarConfig,
  TrafficRules,
} from './service-mesh.ts';

/** An object as it is given to an API server, or written to a file. */
export interface MeshObject extends JsonMembers {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: JsonMembers;
}

const networking = 'networking.istio.io/v1';
const security = 'security.istio.io/v1';

/** A service: a Service where workloads have it, a ServiceEntry where its instances are stated by hand. Never both: an entry of a Service's name would take its place. */
export function serviceObject(info: ServiceInfo, namespace: string): MeshObject {
  const { name, version, labels = {}, annotations, ports, endpoints, external = false } = info;
  const metadata = {
    name,
    namespace,
    labels: { app: name, ...labels },
    ...(annotations !== undefined && { annotations }),
  };
  if (endpoints === undefined) {
    const selector = { app: name, ...(version !== undefined && { version }) };
    return { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector, ports: ports.map(servicePort) } };
  }
  return {
    apiVersion: networking,
    kind: 'ServiceEntry',
    metadata,
    spec: {
      hosts: [hostOf(name, namespace)],
      location: external ? 'MESH_EXTERNAL' : 'MESH_INTERNAL',
      resolution: endpoints.every(({ address }) => /^[\d.]+$|:/.test(address)) ? 'STATIC' : 'DNS',
      ports: ports.map(({ name: portName, port, protocol, targetPort }) =>
        said({ name: portName, number: port, protocol: protocol.toUpperCase(), targetPort }),
      ),
      endpoints: endpoints.map(({ address, weight, region, zone, labels: own }) =>
        said({
          address,
          weight,
          locality: region === undefined ? undefined : zone === undefined ? region : `${region}/${zone}`,
          labels: { app: name, ...(version !== undefined && { version }), ...own },
        }),
      ),
    },
  };
}

/** What a service's sidecar reaches. */
export function sidecarObject(config: SidecarConfig, namespace: string): MeshObject {
  const { serviceName: name, egressHosts = ['./*', 'istio-system/*'], registryOnly = false } = config;
  return {
    apiVersion: networking,
    kind: 'Sidecar',
    metadata: { name, namespace },
    spec: {
      workloadSelector: { labels: { app: name } },
      egress: [{ hosts: egressHosts }],
      outboundTrafficPolicy: { mode: registryOnly ? 'REGISTRY_ONLY' : 'ALLOW_ANY' },
    },
  };
}

/** A VirtualService where calls are routed, and a DestinationRule where instances are chosen. */
export function trafficObjects(rules: TrafficRules, namespace: string): readonly MeshObject[] {
  if (rules.rateLimit !== undefined) throw noRateLimit(rules.serviceName);
  const { serviceName: name, routingRules, timeoutMs, retry } = rules;
  const metadata = { name, namespace };
  const host = hostOf(name, namespace);
  const versions = new Map<string, Set<string>>();
  for (const { destination } of routingRules ?? [])
    if (destination.version !== undefined) {
      const service = destination.service ?? name;
      versions.set(service, (versions.get(service) ?? new Set()).add(destination.version));
    }
  const objects: MeshObject[] = [];
  if (routingRules !== undefined || timeoutMs !== undefined || retry !== undefined) {
    const http = httpRules(rules, namespace);
    objects.push({ apiVersion: networking, kind: 'VirtualService', metadata, spec: { hosts: [host], http } });
  }
  const trafficPolicy = trafficPolicyOf(rules);
  if (trafficPolicy !== undefined || versions.has(name)) {
    const spec = said({ host, trafficPolicy, subsets: subsetsOf(versions.get(name)) });
    objects.push({ apiVersion: networking, kind: 'DestinationRule', metadata, spec });
  }
  const [other] = [...versions.keys()].filter((each) => each !== name);
  if (other === undefined) return objects;
  const message = `${name}: a rule sends to versions of ${other}, which only rules of ${other} can tell apart`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_RESOURCES', message, sent: false });
}

/** A PeerAuthentication, and an AuthorizationPolicy for each of `allow` and `deny`. */
export function securityObjects(policy: SecurityPolicy, namespace: string): readonly MeshObject[] {
  const { serviceName: name, mtls = 'strict', allow, deny } = policy;
  const selector = { matchLabels: { app: name } };
  const policyOf = (action: 'ALLOW' | 'DENY', rules: readonly AccessRule[]): MeshObject => ({
    apiVersion: security,
    kind: 'AuthorizationPolicy',
    metadata: { name: `${name}-${action.toLowerCase()}`, namespace },
    spec: { selector, action, ...(rules.length > 0 && { rules: rules.map(accessRule) }) },
  });
  return [
    {
      apiVersion: security,
      kind: 'PeerAuthentication',
      metadata: { name, namespace },
      spec: { selector, mtls: { mode: mtls.toUpperCase() } },
    },
    ...(allow === undefined ? [] : [policyOf('ALLOW', allow)]),
    ...(deny === undefined || deny.length === 0 ? [] : [policyOf('DENY', deny)]),
  ];
}

/** The objects as one text. Throws `invalid_argument` / `BAD_RESOURCES` where a data plane would refuse one. */
export function checkedText(objects: readonly MeshObject[], file: string): string {
  const text = objects.map((each) => stringify(each)).join('---\n');
  acceptResources([{ file, text }]);
  return text;
}

/** `order.shop.svc.cluster.local`. */
function hostOf(name: string, namespace: string): string {
  return `${name}.${namespace}.svc.cluster.local`;
}

function servicePort({ name, port, protocol, targetPort = port }: ServiceInfo['ports'][number]): JsonMembers {
  const appProtocol = { http: 'http', http2: 'http2', grpc: 'grpc', tcp: 'tcp', tls: 'tls' }[protocol];
  return { name, port, targetPort, protocol: 'TCP', appProtocol };
}

function httpRules(
  { serviceName, routingRules = [], timeoutMs, retry }: TrafficRules,
  namespace: string,
): readonly JsonMembers[] {
  const treated = said({
    timeout: timeoutMs === undefined ? undefined : `${timeoutMs}ms`,
    retries:
      retry &&
      said({
        attempts: retry.attempts,
        perTryTimeout: retry.perTryTimeoutMs === undefined ? undefined : `${retry.perTryTimeoutMs}ms`,
        retryOn: retry.retryOn ?? 'connect-failure,refused-stream,unavailable,cancelled,503',
      }),
  });
  const byMatch = Map.groupBy(routingRules, ({ match = {} }) => JSON.stringify(matchOf(match)));
  const rules = [...byMatch.values()].map((those) => ({
    ...said({
      match: Object.keys(those[0]?.match ?? {}).length === 0 ? undefined : [matchOf(those[0]?.match ?? {})],
    }),
    route: those.map((each) => routeOf(each, serviceName, namespace, those.length > 1)),
    ...treated,
  }));
  const toAll = { route: [{ destination: { host: hostOf(serviceName, namespace) } }], ...treated };
  return rules.length === 0 ? [toAll] : rules;
}

function matchOf({ headers, method, path }: NonNullable<RoutingRule['match']>): JsonMembers {
  const exact = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), { exact: value }]);
  return said({
    headers: exact.length === 0 ? undefined : (Object.fromEntries(exact) as JsonMembers),
    method: method === undefined ? undefined : { exact: method },
    uri: path === undefined ? undefined : { prefix: path },
  });
}

function routeOf(
  { destination, weight = 1 }: RoutingRule,
  serviceName: string,
  namespace: string,
  isShared: boolean,
): JsonMembers {
  const { service = serviceName, version } = destination;
  return {
    destination: said({ host: hostOf(service, namespace), subset: version && subsetName(version) }),
    ...(isShared && { weight }),
  };
}

function subsetsOf(versions: ReadonlySet<string> | undefined): readonly JsonMembers[] | undefined {
  return versions && [...versions].map((version) => ({ name: subsetName(version), labels: { version } }));
}

/** The name of a subset is one of DNS, which a version need not be. */
function subsetName(version: string): string {
  return version.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-');
}

function trafficPolicyOf({
  loadBalancing,
  circuitBreaker,
  connectionPool,
}: TrafficRules): JsonMembers | undefined {
  const policy = said({
    loadBalancer: loadBalancing && balancerOf(loadBalancing),
    connectionPool: connectionPool && poolOf(connectionPool),
    outlierDetection:
      circuitBreaker &&
      said({
        consecutive5xxErrors: circuitBreaker.consecutiveErrors,
        interval: circuitBreaker.intervalMs && `${circuitBreaker.intervalMs}ms`,
        baseEjectionTime: circuitBreaker.baseEjectionMs && `${circuitBreaker.baseEjectionMs}ms`,
        maxEjectionPercent: circuitBreaker.maxEjectionPercent,
        minHealthPercent: circuitBreaker.minHealthPercent,
      }),
  });
  return Object.keys(policy).length === 0 ? undefined : policy;
}

function balancerOf(balancing: LoadBalancing): JsonMembers {
  switch (balancing.strategy) {
    case 'round_robin':
      return { simple: 'ROUND_ROBIN' };
    case 'least_connections':
      return { simple: 'LEAST_REQUEST' };
    case 'random':
      return { simple: 'RANDOM' };
    case 'locality':
      return { localityLbSetting: { enabled: true } };
    case 'consistent_hash':
      return { consistentHash: hashOf(balancing.of) };
  }
}

function hashOf(of: Extract<LoadBalancing, { strategy: 'consistent_hash' }>['of']): JsonMembers {
  if (of === 'source-ip') return { useSourceIp: true };
  return 'header' in of ? { httpHeaderName: of.header } : { httpCookie: { name: of.cookie, ttl: '0s' } };
}

function poolOf(pool: ConnectionPool): JsonMembers {
  const { maxConnections, maxPendingRequests, maxRequests, maxRequestsPerConnection } = pool;
  const http = said({
    http1MaxPendingRequests: maxPendingRequests,
    http2MaxRequests: maxRequests,
    maxRequestsPerConnection,
  });
  return said({
    tcp: maxConnections === undefined ? undefined : { maxConnections },
    http: Object.keys(http).length === 0 ? undefined : http,
  });
}

/** One rule with all three parts: rules of their own would each let through what they match. */
function accessRule({ serviceAccounts, namespaces, methods, paths, ports }: AccessRule): JsonMembers {
  const source = said({ serviceAccounts, namespaces });
  const operation = said({ methods, paths, ports: ports?.map(String) });
  return said({
    from: Object.keys(source).length === 0 ? undefined : [{ source }],
    to: Object.keys(operation).length === 0 ? undefined : [{ operation }],
  });
}

/** Without the members that are not said. */
function said(members: Readonly<Record<string, Json | undefined>>): JsonMembers {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function noRateLimit(name: string): HeddleError {
  const message = `${name}: no resource of a mesh says a rate limit; limit calls at the gateway, or in the service itself`;
  return new HeddleError({ code: 'unimplemented', reason: 'UNSUPPORTED', message, sent: false });
}
