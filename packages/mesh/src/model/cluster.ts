/** What makes the choice of an instance the same each time. */
export interface HashBy {
  readonly by: 'header' | 'cookie' | 'query' | 'address';
  /** Of the header, cookie or query parameter; empty for `address`. */
  readonly name: string;
  /** Cookies: one is made where there is none, for so long; 0: for the session; left out: none is made. */
  readonly ttlMs?: number;
  readonly path?: string;
}

/** Newcomers get their full share after a while. */
export interface WarmUp {
  readonly durationMs: number;
  readonly minimumPercent: number;
  readonly aggression: number;
}

/** How an instance is chosen. */
export interface Balance {
  readonly policy: 'round_robin' | 'least_request' | 'random' | 'ring_hash' | 'maglev' | 'passthrough';
  /** For the policies that hash. */
  readonly hash?: HashBy;
  readonly minRingSize?: number;
  readonly tableSize?: number;
  readonly warmUp?: WarmUp;
}

/** Which localities are asked. A locality is written `region/zone/subzone`, with `*` for the rest. */
export type LocalityRules =
  /** All alike. */
  | { readonly kind: 'off' }
  /** The caller's own, then its region, then those named for its region, then any. */
  | {
      readonly kind: 'failover';
      readonly failover: readonly { readonly from: string; readonly to: string }[];
    }
  /** By weights, from whichever locality the caller is in. */
  | {
      readonly kind: 'distribute';
      readonly distribute: readonly {
        readonly from: string;
        readonly to: Readonly<Record<string, number>>;
      }[];
    };

/** When an instance is ejected, and for how long. What is left out does not eject. */
export interface OutlierLimits {
  readonly consecutive5xx?: number;
  readonly consecutiveGatewayErrors?: number;
  readonly consecutiveLocalOriginFailures?: number;
  readonly splitLocalOrigin?: boolean;
  readonly intervalMs: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionPercent: number;
  /** Below this share of healthy instances nobody is judged any more. 0: that never happens. */
  readonly minHealthPercent: number;
}

/** What one client may have open to a cluster. What is left out is not limited. */
export interface PoolLimits {
  readonly maxConnections?: number;
  readonly maxPendingRequests?: number;
  readonly maxRequests?: number;
  readonly maxRequestsPerConnection?: number;
  readonly maxRetries?: number;
  readonly connectTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly maxConnectionMs?: number;
}

/** How clients protect what they send. */
export type ClusterTls =
  | { readonly mode: 'off' }
  /** Mesh mTLS towards the endpoints that speak it, plaintext towards the others. */
  | { readonly mode: 'auto' }
  /** Mesh mTLS with our own identity; `names`: the SPIFFE IDs one of which the peer must prove. Empty: those of the endpoints. */
  | { readonly mode: 'mesh'; readonly names: readonly string[]; readonly sni: string }
  /** TLS of the outside world. `certificate` and `ca` name files or secrets; without `ca` the system's roots are believed. */
  | {
      readonly mode: 'tls';
      readonly sni: string;
      readonly names: readonly string[];
      readonly ca?: string;
      readonly certificate?: string;
      readonly privateKey?: string;
      readonly insecureSkipVerify?: boolean;
    };

/** Where a cluster's instances come from. */
export type ClusterSource =
  /** Its assignment. */
  | 'endpoints'
  /** The names in its assignment, resolved by the proxy; all addresses at once, or one connection's at a time. */
  | 'dns'
  | 'logical_dns'
  /** Wherever the caller was going. */
  | 'original';

/** Instances that take the same traffic: a port of a service, or a subset of it. */
export interface Cluster {
  /** As `clusterName` makes it. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Empty: all of the service. */
  readonly subset: string;
  /** Where it was written, for people. */
  readonly origin: string;
  readonly protocol: 'http1' | 'http2' | 'tcp';
  readonly source: ClusterSource;
  readonly balance: Balance;
  readonly locality: LocalityRules;
  readonly outlier?: OutlierLimits;
  readonly pool: PoolLimits;
  readonly tls: ClusterTls;
}

/** `outbound|9080|v1|reviews.default.svc.cluster.local`, as Istio's operators know it. */
export function clusterName({ host, port, subset }: Pick<Cluster, 'host' | 'port' | 'subset'>): string {
  return `outbound|${port}|${subset}|${host}`;
}
