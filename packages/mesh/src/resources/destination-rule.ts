import {
  duration,
  type Labels,
  labels,
  type PortSelector,
  portNumber,
  portSelector,
  texts,
  type WorkloadSelector,
  workloadSelector,
} from './terms.ts';
import { flag, list, map, number, object, oneOf, type Shape, text, whole } from './shape.ts';

/** networking.istio.io DestinationRule: how the instances of a host are called, and its subsets. */
export interface DestinationRuleSpec {
  readonly host: string;
  readonly exportTo?: readonly string[];
  /** The callers that it is for; without it, all that may see it. */
  readonly workloadSelector?: WorkloadSelector;
  readonly trafficPolicy?: TrafficPolicy;
  readonly subsets?: readonly Subset[];
}

/** Instances that carry some labels, under a name. */
export interface Subset {
  readonly name: string;
  readonly labels?: Labels;
  /** Replaces those parts of the rule's policy that it has. */
  readonly trafficPolicy?: TrafficPolicy;
}

/** The four parts that can also be set for one port. */
export interface PortTrafficPolicy {
  readonly port?: PortSelector;
  readonly loadBalancer?: LoadBalancer;
  readonly connectionPool?: ConnectionPool;
  readonly outlierDetection?: OutlierDetection;
  readonly tls?: ClientTls;
}

/** How the instances are called. The settings of a port replace those of the host as a whole, not field by field. */
export interface TrafficPolicy extends Omit<PortTrafficPolicy, 'port'> {
  readonly portLevelSettings?: readonly PortTrafficPolicy[];
  readonly tunnel?: Tunnel;
  readonly proxyProtocol?: { readonly version?: 'V1' | 'V2' };
  readonly retryBudget?: RetryBudget;
}

/** Outgoing TCP wrapped into CONNECT or POST to another proxy. */
export interface Tunnel {
  readonly protocol?: string;
  readonly targetHost: string;
  readonly targetPort: number;
}

/** The most retries at once, in percent of the requests in flight (default 20), never fewer than the minimum (3). */
export interface RetryBudget {
  readonly percent?: number;
  readonly minRetryConcurrency?: number;
  readonly budgetInterval?: string;
}

/** `LEAST_CONN` of older files is read as `LEAST_REQUEST`, as istiod does. */
export interface LoadBalancer {
  readonly simple?: 'UNSPECIFIED' | 'RANDOM' | 'PASSTHROUGH' | 'ROUND_ROBIN' | 'LEAST_REQUEST';
  readonly consistentHash?: ConsistentHash;
  readonly localityLbSetting?: LocalityLoadBalancer;
  readonly zoneAwareLbSetting?: ZoneAwareLoadBalancer;
  readonly warmup?: Warmup;
}

/** Exactly one source of the hash, at most one of the two algorithms. */
export interface ConsistentHash {
  readonly httpHeaderName?: string;
  readonly httpCookie?: HashCookie;
  readonly useSourceIp?: boolean;
  readonly httpQueryParameterName?: string;
  readonly ringHash?: { readonly minimumRingSize?: number };
  readonly maglev?: { readonly tableSize?: number };
}

/** A cookie to hash; it is set when it is absent and a `ttl` is given. */
export interface HashCookie {
  readonly name: string;
  readonly path?: string;
  readonly ttl?: string;
  readonly attributes?: readonly CookieAttribute[];
}

/** An attribute of a cookie that the proxy sets, such as `SameSite`. */
export interface CookieAttribute {
  readonly name: string;
  readonly value?: string;
}

/** Where requests go by region, zone and subzone; `distribute`, `failover` and `failoverPriority` exclude each other but for the last two. */
export interface LocalityLoadBalancer {
  readonly enabled?: boolean;
  /** Shares in percent, by locality `region/zone/subzone` with `*`. */
  readonly distribute?: readonly { readonly from?: string; readonly to?: Readonly<Record<string, number>> }[];
  readonly failover?: readonly Failover[];
  readonly failoverPriority?: readonly string[];
}

/** Prefers the own zone while it has enough instances. */
export interface ZoneAwareLoadBalancer {
  readonly enabled?: boolean;
  readonly minClusterSize?: number;
  readonly failover?: readonly Failover[];
  readonly failoverPriority?: readonly string[];
}

/** From one region to another. */
export interface Failover {
  readonly from?: string;
  readonly to?: string;
}

/** New instances get a growing share during this time. */
export interface Warmup {
  readonly duration: string;
  readonly minimumPercent?: number;
  readonly aggression?: number;
}

/** Limits of connections and requests, per caller. */
export interface ConnectionPool {
  readonly tcp?: TcpPool;
  readonly http?: HttpPool;
}

/** Limits of connections; `connectTimeout` is 10s, `idleTimeout` 1h where nothing is written. */
export interface TcpPool {
  readonly maxConnections?: number;
  readonly connectTimeout?: string;
  readonly idleTimeout?: string;
  readonly maxConnectionDuration?: string;
  readonly tcpKeepalive?: { readonly probes?: number; readonly time?: string; readonly interval?: string };
}

/** Limits of requests; 0 of `maxRequestsPerConnection` means no limit. */
export interface HttpPool {
  readonly http1MaxPendingRequests?: number;
  readonly http2MaxRequests?: number;
  readonly maxRequestsPerConnection?: number;
  readonly maxRetries?: number;
  readonly idleTimeout?: string;
  readonly h2UpgradePolicy?: 'DEFAULT' | 'DO_NOT_UPGRADE' | 'UPGRADE';
  readonly useClientProtocol?: boolean;
  readonly maxConcurrentStreams?: number;
  readonly http2KeepAlive?: { readonly interval?: string; readonly timeout?: string };
}

/** `consecutiveErrors` and the `circuitBreaker` block of older files are read into this. */
export interface OutlierDetection {
  readonly consecutive5xxErrors?: number;
  readonly consecutiveGatewayErrors?: number;
  readonly consecutiveLocalOriginFailures?: number;
  readonly splitExternalLocalOriginErrors?: boolean;
  readonly interval?: string;
  readonly baseEjectionTime?: string;
  readonly maxEjectionPercent?: number;
  readonly minHealthPercent?: number;
  readonly outlierDetectionHttpErrorCodes?: readonly number[];
}

/** How callers encrypt. Without it they do mTLS with whom can do it. */
export interface ClientTls {
  readonly mode?: 'DISABLE' | 'SIMPLE' | 'MUTUAL' | 'ISTIO_MUTUAL';
  readonly clientCertificate?: string;
  readonly privateKey?: string;
  readonly caCertificates?: string;
  readonly caCrl?: string;
  readonly credentialName?: string;
  readonly subjectAltNames?: readonly string[];
  readonly sni?: string;
  readonly insecureSkipVerify?: boolean;
}

const count = whole(0, 2_147_483_647);
const share = whole(0, 100);
const failover = list(object<Failover>({ from: text(), to: text() }));

const consistentHash = object<ConsistentHash>({
  httpHeaderName: text(),
  httpCookie: object<HashCookie>(
    {
      name: text(),
      path: text(),
      ttl: duration,
      attributes: list(object<CookieAttribute>({ name: text(), value: text() }, ['name'])),
    },
    ['name'],
  ),
  useSourceIp: flag,
  httpQueryParameterName: text(),
  ringHash: object<NonNullable<ConsistentHash['ringHash']>>({ minimumRingSize: count }),
  maglev: object<NonNullable<ConsistentHash['maglev']>>({ tableSize: count }),
});

const localityLbSetting = object<LocalityLoadBalancer>({
  enabled: flag,
  distribute: list(
    object<NonNullable<LocalityLoadBalancer['distribute']>[number]>({ from: text(), to: map(share) }),
  ),
  failover,
  failoverPriority: texts,
});

const loadBalancer = object<LoadBalancer>({
  simple: oneOf('UNSPECIFIED', 'RANDOM', 'PASSTHROUGH', 'ROUND_ROBIN', 'LEAST_REQUEST'),
  consistentHash,
  localityLbSetting,
  zoneAwareLbSetting: object<ZoneAwareLoadBalancer>({
    enabled: flag,
    minClusterSize: whole(1),
    failover,
    failoverPriority: texts,
  }),
  warmup: object<Warmup>(
    { duration, minimumPercent: number(0, 100), aggression: number(0, Number.MAX_VALUE) },
    ['duration'],
  ),
});

/** The shape of a `ConnectionPool`. */
export const connectionPool: Shape<ConnectionPool> = object<ConnectionPool>({
  tcp: object<TcpPool>({
    maxConnections: count,
    connectTimeout: duration,
    idleTimeout: duration,
    maxConnectionDuration: duration,
    tcpKeepalive: object<NonNullable<TcpPool['tcpKeepalive']>>({
      probes: whole(),
      time: duration,
      interval: duration,
    }),
  }),
  http: object<HttpPool>({
    http1MaxPendingRequests: count,
    http2MaxRequests: count,
    maxRequestsPerConnection: count,
    maxRetries: count,
    idleTimeout: duration,
    h2UpgradePolicy: oneOf('DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE'),
    useClientProtocol: flag,
    maxConcurrentStreams: count,
    http2KeepAlive: object<NonNullable<HttpPool['http2KeepAlive']>>({
      interval: duration,
      timeout: duration,
    }),
  }),
});

const outlierDetection = object<OutlierDetection>({
  consecutive5xxErrors: whole(),
  consecutiveGatewayErrors: whole(),
  consecutiveLocalOriginFailures: whole(),
  splitExternalLocalOriginErrors: flag,
  interval: duration,
  baseEjectionTime: duration,
  maxEjectionPercent: share,
  minHealthPercent: share,
  outlierDetectionHttpErrorCodes: list(whole(100, 599)),
});

const tls = object<ClientTls>({
  mode: oneOf('DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'),
  clientCertificate: text(),
  privateKey: text(),
  caCertificates: text(),
  caCrl: text(),
  credentialName: text(),
  subjectAltNames: texts,
  sni: text(),
  insecureSkipVerify: flag,
});

const trafficPolicy = object<TrafficPolicy>({
  loadBalancer,
  connectionPool,
  outlierDetection,
  tls,
  portLevelSettings: list(
    object<PortTrafficPolicy>({ port: portSelector, loadBalancer, connectionPool, outlierDetection, tls }),
  ),
  tunnel: object<Tunnel>({ protocol: text(), targetHost: text(), targetPort: portNumber }, [
    'targetHost',
    'targetPort',
  ]),
  proxyProtocol: object<NonNullable<TrafficPolicy['proxyProtocol']>>({ version: oneOf('V1', 'V2') }),
  retryBudget: object<RetryBudget>({
    percent: number(0, 100),
    minRetryConcurrency: whole(),
    budgetInterval: duration,
  }),
});

/** The shape of a DestinationRule. */
export const destinationRuleSpec: Shape<DestinationRuleSpec> = object<DestinationRuleSpec>(
  {
    host: text(),
    exportTo: texts,
    workloadSelector,
    trafficPolicy,
    subsets: list(object<Subset>({ name: text(), labels, trafficPolicy }, ['name'])),
  },
  ['host'],
);
