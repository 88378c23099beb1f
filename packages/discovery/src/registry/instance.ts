/** Where an instance is in its life. Only `running` ones get new calls. */
export const instanceStates = [
  'starting',
  'running',
  'draining',
  'stopping',
  'stopped',
  'unhealthy',
  'maintenance',
] as const;
/** One of `instanceStates`. */
export type InstanceState = (typeof instanceStates)[number];

/** What an instance speaks at its port. */
export const protocols = ['grpc', 'http', 'tcp'] as const;
/** One of `protocols`. */
export type Protocol = (typeof protocols)[number];

/** What its health checks say; `unknown` until one has run. */
export const healthValues = ['passing', 'warning', 'critical', 'unknown'] as const;
/** One of `healthValues`. */
export type Health = (typeof healthValues)[number];

/** One process that serves one service at one address. Never changed in place: a change is a new object. */
export interface Instance {
  /** Unique within the service. Two processes that use the same one are told so (see `Registry.register`). */
  readonly id: string;
  readonly service: string;
  /** A host name or an IP literal, v4 or v6, without brackets. */
  readonly address: string;
  /** 1 to 65535. */
  readonly port: number;
  /** Of the service's code, e.g. `v2` or `1.4.0`; empty if it has none. */
  readonly version: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly state: InstanceState;
  /** Share of the load relative to the others, 0 to 65535; 0 gets none. */
  readonly weight: number;
  readonly zone: string;
  readonly region: string;
  readonly tags: readonly string[];
  readonly protocol: Protocol;
  readonly health: Health;
  /**
   * When its lease was last renewed: milliseconds since 1970 on the registry's wall clock; 0 if never. A heartbeat
   * alone is no change, so a watch shows the one known at the instance's last change; `instances` shows the last.
   */
  readonly lastHeartbeatMs: number;
}

/**
 * What a program states about itself. Defaults: id `<service>@<host:port>`, version and metadata empty, state
 * `running`, weight 100, zone and region `default`, no tags, protocol `grpc`, health `unknown`.
 */
export type InstanceInit = Pick<Instance, 'service' | 'address' | 'port'> &
  Partial<Omit<Instance, 'service' | 'address' | 'port' | 'lastHeartbeatMs'>>;

/** `host:port`, with brackets round an IPv6 literal. */
export function hostPort(at: Pick<Instance, 'address' | 'port'>): string {
  return at.address.includes(':') ? `[${at.address}]:${at.port}` : `${at.address}:${at.port}`;
}

/** Whether two say the same about an instance. When it last renewed its lease makes no difference. */
export function sameInstance(a: Instance, b: Instance): boolean {
  return (
    a.id === b.id &&
    a.service === b.service &&
    a.address === b.address &&
    a.port === b.port &&
    a.version === b.version &&
    a.state === b.state &&
    a.weight === b.weight &&
    a.zone === b.zone &&
    a.region === b.region &&
    a.protocol === b.protocol &&
    a.health === b.health &&
    sameList(a.tags, b.tags) &&
    sameList(flatten(a.metadata), flatten(b.metadata))
  );
}

function flatten(metadata: Readonly<Record<string, string>>): string[] {
  return Object.entries(metadata)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flat();
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, at) => item === b[at]);
}
