import { list, number, object, oneOf, type Place, type Read, record, text, whole } from '../document.ts';
import type { HashConfig, PoolConfig, UpstreamConfig } from '../../upstream/upstream-schema.ts';
import { duration, hostName, label, metadata } from './values.ts';

/** What a DestinationRule says of one host, or of a subset of it. */
export interface RuledHost {
  readonly host: string;
  readonly subset: string | undefined;
  /** The name of the upstream that it becomes. */
  readonly name: string;
  readonly upstream: UpstreamConfig;
}

type Policy = Omit<UpstreamConfig, 'target'>;

interface Subset {
  name: string;
  labels?: readonly (readonly [string, string])[];
  trafficPolicy?: Policy;
}

const policies = {
  ROUND_ROBIN: 'weighted_round_robin',
  LEAST_REQUEST: 'least_request',
  RANDOM: 'random',
} as const;

const hash: Read<HashConfig> = (at) => {
  const made = object<{
    httpHeaderName?: string;
    httpCookie?: { name: string };
    useSourceIp?: boolean;
  }>(
    {
      httpHeaderName: text('the name of a header field'),
      httpCookie: object<{ name: string }>({ name: text('the name of a cookie') }, ['name']),
      useSourceIp: (place) => (place.plain === true ? true : place.expected('true')),
    },
    [],
  )(at);
  if (made === undefined) return undefined;
  if (made.httpHeaderName !== undefined) return { by: 'header', name: made.httpHeaderName.toLowerCase() };
  if (made.httpCookie !== undefined) return { by: 'cookie', name: made.httpCookie.name };
  return made.useSourceIp === true ? { by: 'ip' } : at.expected('httpHeaderName, httpCookie or useSourceIp');
};

const balancer: Read<Policy> = (at) => {
  const made = object<{
    simple?: keyof typeof policies;
    consistentHash?: HashConfig;
    warmupDurationSecs?: number;
  }>(
    {
      simple: oneOf('ROUND_ROBIN', 'LEAST_REQUEST', 'RANDOM'),
      consistentHash: hash,
      warmupDurationSecs: duration,
    },
    [],
  )(at);
  if (made === undefined) return undefined;
  const { simple, consistentHash, warmupDurationSecs: slowStartMs } = made;
  if (simple !== undefined && consistentHash !== undefined)
    return at.problem('expected at most one of "simple", "consistentHash"');
  return {
    ...(simple !== undefined && { policy: policies[simple] }),
    ...(consistentHash !== undefined && { policy: 'ring_hash', hash: consistentHash }),
    ...(slowStartMs !== undefined && { slowStartMs }),
  };
};

const count = whole(1, 1_000_000);
const pool: Read<PoolConfig> = (at) => {
  const made = object<{
    tcp?: { maxConnections?: number; connectTimeout?: number };
    http?: { http1MaxPendingRequests?: number; idleTimeout?: number };
  }>(
    {
      tcp: object<{ maxConnections?: number; connectTimeout?: number }>(
        { maxConnections: count, connectTimeout: duration },
        [],
      ),
      http: object<{ http1MaxPendingRequests?: number; idleTimeout?: number }>(
        { http1MaxPendingRequests: count, idleTimeout: duration },
        [],
      ),
    },
    [],
  )(at);
  if (made === undefined) return undefined;
  const { tcp = {}, http = {} } = made;
  return {
    ...(tcp.maxConnections !== undefined && { connections: tcp.maxConnections }),
    ...(tcp.connectTimeout !== undefined && { connectMs: tcp.connectTimeout }),
    ...(http.http1MaxPendingRequests !== undefined && { waiting: http.http1MaxPendingRequests }),
    ...(http.idleTimeout !== undefined && { idleMs: http.idleTimeout }),
  };
};

const outlier: Read<NonNullable<UpstreamConfig['ejection']>> = (at) => {
  const made = object<{
    consecutive5xxErrors?: number;
    interval?: number;
    baseEjectionTime?: number;
    maxEjectionPercent?: number;
  }>(
    {
      consecutive5xxErrors: count,
      interval: duration,
      baseEjectionTime: duration,
      maxEjectionPercent: number(0, 100),
    },
    [],
  )(at);
  if (made === undefined) return undefined;
  return {
    ...(made.consecutive5xxErrors !== undefined && { consecutiveFailures: made.consecutive5xxErrors }),
    ...(made.interval !== undefined && { intervalMs: made.interval }),
    ...(made.baseEjectionTime !== undefined && { ejectMs: made.baseEjectionTime }),
    ...(made.maxEjectionPercent !== undefined && { maxEjectedShare: made.maxEjectionPercent / 100 }),
  };
};

const trafficPolicy: Read<Policy> = (at) => {
  const made = object<{
    loadBalancer?: Policy;
    connectionPool?: PoolConfig;
    outlierDetection?: Policy['ejection'];
  }>(
    { loadBalancer: balancer, connectionPool: pool, outlierDetection: outlier },
    [],
  )(at);
  if (made === undefined) return undefined;
  const { loadBalancer = {}, connectionPool, outlierDetection } = made;
  return {
    ...loadBalancer,
    ...(connectionPool !== undefined && { pool: connectionPool }),
    ...(outlierDetection !== undefined && { ejection: outlierDetection }),
  };
};

const subset: Read<Subset> = (at) => {
  const labels = record('version, zone or region: what the registry knows', isKnownLabel, label);
  return object<Subset>({ name: label, labels, trafficPolicy }, ['name', 'labels'])(at);
};

function isKnownLabel(key: string): boolean {
  return key === 'version' || key === 'zone' || key === 'region';
}

/** Reads a DestinationRule: its host and each of its subsets as an upstream. What the gateway does not do is a problem. */
export function ruledHosts(at: Place): readonly RuledHost[] | undefined {
  const spec = object<{ host: string; trafficPolicy?: Policy; subsets?: Subset[] }>(
    { host: hostName, trafficPolicy, subsets: list(subset, 100) },
    ['host'],
  );
  const made = object<{
    apiVersion: string;
    kind: string;
    metadata: unknown;
    spec: ReturnType<typeof spec> & object;
  }>({ apiVersion: text('a version'), kind: text('a kind'), metadata, spec }, [
    'apiVersion',
    'kind',
    'metadata',
    'spec',
  ])(at);
  if (made === undefined) return undefined;
  const { host, trafficPolicy: policy = {}, subsets = [] } = made.spec;
  const target = targetOf(host);
  const whole = { host, subset: undefined, name: nameOf(host), upstream: { target, ...policy } };
  return [
    whole,
    ...subsets.map(({ name, labels = [], trafficPolicy: own = {} }) => ({
      host,
      subset: name,
      name: nameOf(`${host}-${name}`),
      upstream: { target: `${target}?${labels.map((pair) => pair.join('=')).join('&')}`, ...policy, ...own },
    })),
  ];
}

/** A service as the registry knows it: `order`, or `order.shop` of `order.shop.svc.cluster.local`. */
export function targetOf(host: string): string {
  return `discovery:///${host.replace(/\.svc(\.cluster\.local)?$/, '')}`;
}

/** As names of `upstreams` are; it begins with what no file of a gateway is likely to use. */
function nameOf(text: string): string {
  return `istio-${text.replaceAll(/[^a-z0-9]+/g, '-')}`.slice(0, 63);
}
