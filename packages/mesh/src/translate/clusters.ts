import {
  type Balance,
  type Cluster,
  clusterName,
  type ClusterTls,
  type LocalityRules,
  type OutlierLimits,
  type PoolLimits,
} from '../model/index.ts';
import {
  type ClientTls,
  type ConnectionPool,
  durationMs,
  type LoadBalancer,
  type OutlierDetection,
  type PortTrafficPolicy,
  type ResourceOf,
  type TrafficPolicy,
} from '../resources/index.ts';
import type { DirectoryPort, DirectoryService } from './directory.ts';
import { originOf, type Translation } from './scope.ts';

/** The clusters of a service: one for each port, and one for each port and subset. */
export function clustersOf(service: DirectoryService, translation: Translation): readonly Cluster[] {
  const rule = ruleFor(service, translation);
  return service.ports.flatMap((port) => [
    cluster(service, port, '', rule, undefined),
    ...(rule?.spec.subsets ?? []).map(({ name, trafficPolicy }) =>
      cluster(service, port, name, rule, trafficPolicy),
    ),
  ]);
}

/** The DestinationRule of a service: an exact host before a wildcard, its own namespace before others, then the oldest. */
export function ruleFor(
  service: DirectoryService,
  { lookups, directory, root }: Translation,
): ResourceOf<'DestinationRule'> | undefined {
  const rank = ({ metadata, spec }: ResourceOf<'DestinationRule'>): string => {
    const full = directory.fullName(spec.host, metadata.namespace);
    const near = metadata.namespace === service.namespace ? '0' : metadata.namespace === root ? '2' : '1';
    // Longer wildcards are narrower.
    const wide = full.startsWith('*') ? `1${String(1000 - full.length).padStart(4, '0')}` : '0';
    return `${wide}/${near}/${metadata.creationTimestamp ?? ''}/${metadata.name}`;
  };
  const about = lookups
    .destinationRules(service.host)
    .filter(({ spec }) => spec.workloadSelector === undefined);
  return about.toSorted((a, b) => rank(a).localeCompare(rank(b)))[0];
}

function cluster(
  service: DirectoryService,
  port: DirectoryPort,
  subset: string,
  rule: ResourceOf<'DestinationRule'> | undefined,
  own: TrafficPolicy | undefined,
): Cluster {
  const policy = policyFor(port.number, rule?.spec.trafficPolicy, own);
  const { host } = service;
  const outlier = policy.outlierDetection === undefined ? undefined : outlierOf(policy.outlierDetection);
  return {
    name: clusterName({ host, port: port.number, subset }),
    host,
    port: port.number,
    subset,
    origin: rule === undefined ? '' : originOf(rule),
    protocol: protocolOf(port, policy.connectionPool),
    source: sourceOf(service, policy.loadBalancer),
    balance: balanceOf(policy.loadBalancer),
    locality: localityOf(policy.loadBalancer),
    ...(outlier !== undefined && { outlier }),
    pool: poolOf(policy.connectionPool),
    tls: tlsOf(policy.tls, service),
  };
}

/** A subset's parts replace the host's; the settings of a port replace both as a whole. */
function policyFor(
  port: number,
  ofHost: TrafficPolicy | undefined,
  ofSubset: TrafficPolicy | undefined,
): PortTrafficPolicy {
  const forPort = (policy: TrafficPolicy | undefined): PortTrafficPolicy | undefined =>
    policy?.portLevelSettings?.find((each) => each.port?.number === port);
  return (
    forPort(ofSubset) ?? (ofSubset === undefined ? forPort(ofHost) : undefined) ?? { ...ofHost, ...ofSubset }
  );
}

function protocolOf({ protocol }: DirectoryPort, pool: ConnectionPool | undefined): Cluster['protocol'] {
  if (protocol === 'tcp') return 'tcp';
  if (protocol === 'grpc' || protocol === 'http2') return 'http2';
  return pool?.http?.h2UpgradePolicy === 'UPGRADE' ? 'http2' : 'http1';
}

function sourceOf(
  { entry, external }: DirectoryService,
  balancer: LoadBalancer | undefined,
): Cluster['source'] {
  if (balancer?.simple === 'PASSTHROUGH') return 'original';
  if (entry === undefined) return external ? 'dns' : 'endpoints';
  const { resolution = 'NONE' } = entry.spec;
  if (resolution === 'DNS') return 'dns';
  if (resolution === 'DNS_ROUND_ROBIN' || resolution === 'DYNAMIC_DNS') return 'logical_dns';
  return resolution === 'NONE' &&
    (entry.spec.endpoints ?? []).length === 0 &&
    entry.spec.workloadSelector === undefined
    ? 'original'
    : 'endpoints';
}

const policies: Readonly<Record<string, Balance['policy']>> = {
  ROUND_ROBIN: 'round_robin',
  LEAST_REQUEST: 'least_request',
  RANDOM: 'random',
  PASSTHROUGH: 'passthrough',
};

/** Least request where nothing is written, as Istio does. */
function balanceOf({ simple, consistentHash, warmup }: LoadBalancer = {}): Balance {
  const warmUp = warmup && {
    durationMs: durationMs(warmup.duration),
    minimumPercent: warmup.minimumPercent ?? 10,
    aggression: warmup.aggression ?? 1,
  };
  const more = warmUp === undefined ? {} : { warmUp };
  if (consistentHash === undefined) return { policy: policies[simple ?? ''] ?? 'least_request', ...more };
  const { ringHash, maglev } = consistentHash;
  const hash = hashOf(consistentHash);
  return maglev === undefined
    ? { policy: 'ring_hash', hash, minRingSize: ringHash?.minimumRingSize ?? 1024, ...more }
    : { policy: 'maglev', hash, tableSize: maglev.tableSize ?? 65_537, ...more };
}

function hashOf(written: NonNullable<LoadBalancer['consistentHash']>): NonNullable<Balance['hash']> {
  const { httpHeaderName, httpCookie, httpQueryParameterName } = written;
  if (httpHeaderName !== undefined) return { by: 'header', name: httpHeaderName.toLowerCase() };
  if (httpCookie !== undefined) {
    const { name, path, ttl } = httpCookie;
    return {
      by: 'cookie',
      name,
      ...(ttl !== undefined && { ttlMs: durationMs(ttl) }),
      ...(path !== undefined && { path }),
    };
  }
  return httpQueryParameterName === undefined
    ? { by: 'address', name: '' }
    : { by: 'query', name: httpQueryParameterName };
}

function localityOf({ localityLbSetting }: LoadBalancer = {}): LocalityRules {
  if (localityLbSetting === undefined || localityLbSetting.enabled === false) return { kind: 'off' };
  const { distribute = [], failover = [] } = localityLbSetting;
  if (distribute.length > 0) {
    return { kind: 'distribute', distribute: distribute.map(({ from = '*', to = {} }) => ({ from, to })) };
  }
  return { kind: 'failover', failover: failover.map(({ from = '', to = '' }) => ({ from, to })) };
}

/** Istio's defaults: five 5xx answers, 10 s, 30 s, a tenth of the instances. */
function outlierOf(written: OutlierDetection): OutlierLimits {
  const { consecutive5xxErrors, consecutiveGatewayErrors, consecutiveLocalOriginFailures } = written;
  return {
    ...(consecutive5xxErrors !== 0 && { consecutive5xx: consecutive5xxErrors ?? 5 }),
    ...(consecutiveGatewayErrors !== undefined &&
      consecutiveGatewayErrors > 0 && { consecutiveGatewayErrors }),
    ...(consecutiveLocalOriginFailures !== undefined && { consecutiveLocalOriginFailures }),
    ...(written.splitExternalLocalOriginErrors === true && { splitLocalOrigin: true }),
    intervalMs: durationMs(written.interval ?? '10s'),
    baseEjectionMs: durationMs(written.baseEjectionTime ?? '30s'),
    maxEjectionPercent: written.maxEjectionPercent ?? 10,
    minHealthPercent: written.minHealthPercent ?? 0,
  };
}

/** Istio connects within 10 s where nothing is written. A limit of 0 of a pool is none. */
function poolOf({ tcp = {}, http = {} }: ConnectionPool = {}): PoolLimits {
  const written: readonly (readonly [keyof PoolLimits, number | undefined])[] = [
    ['maxConnections', tcp.maxConnections],
    ['maxPendingRequests', http.http1MaxPendingRequests],
    ['maxRequests', http.http2MaxRequests],
    ['maxRequestsPerConnection', http.maxRequestsPerConnection],
    ['maxRetries', http.maxRetries],
    ['connectTimeoutMs', durationMs(tcp.connectTimeout ?? '10s')],
    ['idleTimeoutMs', durationMs(http.idleTimeout ?? tcp.idleTimeout ?? '')],
    ['maxConnectionMs', durationMs(tcp.maxConnectionDuration ?? '')],
  ];
  return Object.fromEntries(written.filter(([, value]) => value !== undefined && value > 0));
}

function tlsOf(tls: ClientTls | undefined, { host, external }: DirectoryService): ClusterTls {
  if (tls?.mode === undefined) return external ? { mode: 'off' } : { mode: 'auto' };
  const names = tls.subjectAltNames ?? [];
  const sni = tls.sni ?? host;
  if (tls.mode === 'DISABLE') return { mode: 'off' };
  if (tls.mode === 'ISTIO_MUTUAL') return { mode: 'mesh', names, sni };
  const secret = tls.credentialName;
  const certificate = tls.mode === 'MUTUAL' ? (tls.clientCertificate ?? secret) : undefined;
  return {
    mode: 'tls',
    sni,
    names,
    ...((tls.caCertificates ?? secret) !== undefined && { ca: tls.caCertificates ?? secret ?? '' }),
    ...(certificate !== undefined && { certificate }),
    ...(tls.mode === 'MUTUAL' && tls.privateKey !== undefined && { privateKey: tls.privateKey }),
    ...(tls.insecureSkipVerify === true && { insecureSkipVerify: true }),
  };
}
