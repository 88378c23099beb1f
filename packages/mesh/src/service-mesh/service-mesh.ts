import type { SidecarResources } from '../inject/index.ts';

/** A mesh as programs use it, whatever carries it out. Each call is done when it resolves; none answers from memory. */
export interface ServiceMesh {
  /**
   * States a service. Stating it again replaces what was stated. Rejects with `invalid_argument` / `BAD_RESOURCES` for
   * what makes no valid object, with all mistakes at once; this holds for each of the calls that change something.
   */
  registerService(service: ServiceInfo): Promise<void>;
  /** The instances of now; none for a service that nobody runs. */
  discoverServices(serviceName: string): Promise<readonly ServiceEndpoint[]>;
  /** Puts a sidecar beside a service's workload, and says what it reaches. Rejects with `not_found` without one. */
  injectSidecar(config: SidecarConfig): Promise<void>;
  /** Rejects with `unimplemented` / `UNSUPPORTED` for rules that its data planes have no words for. */
  configureTraffic(rules: TrafficRules): Promise<void>;
  enableSecurity(policy: SecurityPolicy): Promise<void>;
  /** As measured; undefined where nothing was. Rejects with `unavailable` / `NOT_MEASURED` if nobody can be asked. */
  getMetrics(): Promise<MeshMetrics>;
}

/** A service of the mesh. */
export interface ServiceInfo {
  readonly name: string;
  /** Of the workloads that it is about: the label `version`. Left out: of all. */
  readonly version?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ports: readonly ServicePort[];
  /**
   * Where it runs that no registry tells: outside the cluster, or nowhere that knows Kubernetes. Left out: the workloads
   * that carry the label `app` with its name.
   */
  readonly endpoints?: readonly ExternalEndpoint[];
  /** With `endpoints`: these have no sidecar, so that nobody proves who they are. Default false. */
  readonly external?: boolean;
}

/** A port of a service. */
export interface ServicePort {
  readonly name: string;
  readonly port: number;
  readonly protocol: 'http' | 'http2' | 'grpc' | 'tcp' | 'tls';
  /** Of the workload. Default the same. */
  readonly targetPort?: number;
}

/** An instance that is stated by hand. */
export interface ExternalEndpoint {
  readonly address: string;
  readonly weight?: number;
  readonly region?: string;
  readonly zone?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** An instance of a service, at one of its ports. */
export interface ServiceEndpoint {
  readonly address: string;
  readonly port: number;
  /** Relative to the others; undefined where whoever knows the instance knows no weights. */
  readonly weight: number | undefined;
  readonly healthy: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  /** Empty: not known. */
  readonly zone: string;
  readonly region: string;
}

/** The sidecar of a service. */
export interface SidecarConfig {
  readonly serviceName: string;
  /** Default that of the mesh. */
  readonly proxyImage?: string;
  readonly resources?: SidecarResources;
  /** What its application may reach, as `namespace/host`. Default all of its own namespace and of the root one. */
  readonly egressHosts?: readonly string[];
  /** Only what the mesh knows may be reached. Default false. */
  readonly registryOnly?: boolean;
}

/** How calls of a service are routed and treated. */
export interface TrafficRules {
  readonly serviceName: string;
  /** In their order, the first that matches; those with the same match share it by weight. None: no route is changed. */
  readonly routingRules?: readonly RoutingRule[];
  readonly loadBalancing?: LoadBalancing;
  readonly circuitBreaker?: CircuitBreaker;
  readonly connectionPool?: ConnectionPool;
  /** Of a call with all its attempts. */
  readonly timeoutMs?: number;
  readonly retry?: {
    readonly attempts: number;
    readonly perTryTimeoutMs?: number;
    /** As Envoy names it. Default `connect-failure,refused-stream,unavailable,cancelled,503`. */
    readonly retryOn?: string;
  };
  /** Refused: neither Istio's resources nor those of the Gateway API can say it. */
  readonly rateLimit?: never;
}

/** Where some calls go. */
export interface RoutingRule {
  readonly match?: {
    /** Exactly these. */
    readonly headers?: Readonly<Record<string, string>>;
    readonly method?: string;
    /** The beginning of the path; for gRPC `/shop.Orders/`. */
    readonly path?: string;
  };
  readonly destination: {
    /** Default the service that the rules are about. */
    readonly service?: string;
    /** The workloads with this label `version`. */
    readonly version?: string;
  };
  /** Relative to the others of the same match. Default 1. */
  readonly weight?: number;
}

/** How an instance is chosen. A consistent hash needs to know of what. */
export type LoadBalancing =
  | { readonly strategy: 'round_robin' | 'least_connections' | 'random' }
  | {
      readonly strategy: 'consistent_hash';
      readonly of: { readonly header: string } | { readonly cookie: string } | 'source-ip';
    }
  /** The nearest first, the others when those fail, for which a circuit breaker is needed. */
  | { readonly strategy: 'locality' };

/** When an instance is left out. */
export interface CircuitBreaker {
  /** Failures in a row. */
  readonly consecutiveErrors: number;
  readonly intervalMs?: number;
  readonly baseEjectionMs?: number;
  readonly maxEjectionPercent?: number;
  readonly minHealthPercent?: number;
}

/** How much is sent at a time. */
export interface ConnectionPool {
  readonly maxConnections?: number;
  readonly maxPendingRequests?: number;
  readonly maxRequests?: number;
  readonly maxRequestsPerConnection?: number;
}

/** Who may call a service, and how they prove who they are. */
export interface SecurityPolicy {
  readonly serviceName: string;
  /** Default strict: mTLS alone. */
  readonly mtls?: 'strict' | 'permissive' | 'disable';
  /** Left out: whoever can call may. Empty: nobody may. */
  readonly allow?: readonly AccessRule[];
  /** Before `allow`. */
  readonly deny?: readonly AccessRule[];
}

/** Calls of some callers to some parts; all that is said must hold. */
export interface AccessRule {
  /** Service accounts as `namespace/account`. */
  readonly serviceAccounts?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly methods?: readonly string[];
  readonly paths?: readonly string[];
  readonly ports?: readonly number[];
}

/** What a mesh has done in the last five minutes. Undefined: not measured. */
export interface MeshMetrics {
  readonly requestCount: number | undefined;
  /** From 0 to 1. */
  readonly errorRate: number | undefined;
  readonly latency: Latency;
  /** By the service that was called. */
  readonly services: Readonly<Record<string, ServiceMetrics>>;
  readonly traffic: {
    readonly requestsPerSecond: number | undefined;
    readonly requestBytesPerSecond: number | undefined;
    readonly responseBytesPerSecond: number | undefined;
  };
}

/** In milliseconds. */
export interface Latency {
  readonly p50Ms: number | undefined;
  readonly p90Ms: number | undefined;
  readonly p99Ms: number | undefined;
}

/** Of one service. */
export interface ServiceMetrics {
  readonly requestCount: number;
  readonly errorRate: number | undefined;
  readonly p99Ms: number | undefined;
}
