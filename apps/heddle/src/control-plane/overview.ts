import type { Instance } from '@heddle/discovery';

/** What the console shows, as it goes over the wire. `null`: not measured (yet); nothing is made up. */
export interface Overview {
  /** Unix time. */
  readonly timeMs: number;
  /** How often it is made anew. */
  readonly everyMs: number;
  readonly attention: readonly Attention[];
  readonly services: readonly ServiceView[];
}

/** Measured from real traffic over the last seconds. */
export interface TrafficView {
  readonly perSecond: number;
  /** 0 to 1; null without requests. */
  readonly errorShare: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

/** One service. */
export interface ServiceView {
  readonly name: string;
  readonly traffic: TrafficView | null;
  readonly instances: readonly InstanceView[];
  /** The last minutes, one value per step of `everyMs`, oldest first; null where nothing was measured. */
  readonly history: {
    readonly perSecond: readonly (number | null)[];
    readonly errors: readonly (number | null)[];
  };
}

/** One instance. */
export interface InstanceView
  extends Pick<Instance, 'id' | 'state' | 'health' | 'zone' | 'version' | 'protocol'> {
  readonly address: string;
  /** Since its lease was last renewed; null if it never was. */
  readonly heartbeatAgeMs: number | null;
  /** Whether its metrics could be read the last time. `pending`: not tried yet. */
  readonly metrics: 'read' | 'unreachable' | 'pending';
  readonly traffic: TrafficView | null;
  readonly inFlight: number | null;
  readonly cpuCores: number | null;
  readonly residentBytes: number | null;
}

/** Something that somebody should look at. The most pressing first. */
export interface Attention {
  readonly kind: 'service_down' | 'instance_lost' | 'instance_unreachable' | 'instance_state' | 'errors';
  readonly level: 'critical' | 'warning';
  readonly service: string;
  readonly instance: string | null;
  /** Unix time of its beginning. */
  readonly sinceMs: number;
  /** `errors`: the share, 0 to 1. `instance_state`: the state. */
  readonly detail: string | null;
}
