/** Who is signed in; the server's `GET session`. */
export interface SessionView {
  readonly user: string | null;
  readonly role: 'viewer' | 'operator' | 'admin' | null;
  readonly csrf: string | null;
  readonly kind: 'local' | 'oidc' | null;
  /** Whether one can sign in at an OpenID provider. */
  readonly provider: boolean;
}

/** Measured from real traffic over the last seconds; null: not measured. */
export interface TrafficView {
  readonly perSecond: number;
  readonly errorShare: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

/** One instance. */
export interface InstanceView {
  readonly id: string;
  readonly state: string;
  readonly health: string;
  readonly zone: string;
  readonly version: string;
  readonly protocol: string;
  readonly address: string;
  readonly heartbeatAgeMs: number | null;
  readonly metrics: 'read' | 'unreachable' | 'pending';
  readonly traffic: TrafficView | null;
  readonly inFlight: number | null;
  readonly cpuCores: number | null;
  readonly residentBytes: number | null;
}

/** One service. */
export interface ServiceView {
  readonly name: string;
  readonly traffic: TrafficView | null;
  readonly instances: readonly InstanceView[];
  readonly history: {
    readonly perSecond: readonly (number | null)[];
    readonly errors: readonly (number | null)[];
  };
}

/** Something that somebody should look at. */
export interface Attention {
  readonly kind: string;
  readonly level: 'critical' | 'warning';
  readonly service: string;
  readonly instance: string | null;
  readonly sinceMs: number;
  readonly detail: string | null;
}

/** All that runs, at a glance. */
export interface Overview {
  readonly timeMs: number;
  readonly everyMs: number;
  readonly attention: readonly Attention[];
  readonly services: readonly ServiceView[];
}
