import type { Cluster } from './cluster.ts';
import type { Assignment } from './endpoint.ts';
import type { ServiceListener, Workload } from './listener.ts';

/**
 * The rules of one moment, in the one form that every data plane's configuration is made from. A value: a change is
 * another model, which shares with the one before all that has not changed, so that what did is found by identity.
 */
export interface MeshModel {
  readonly trustDomain: string;
  readonly services: readonly ServiceListener[];
  /** By name. */
  readonly clusters: ReadonlyMap<string, Cluster>;
  /** By the cluster's name. */
  readonly assignments: ReadonlyMap<string, Assignment>;
  /** By `namespace/name`. */
  readonly workloads: ReadonlyMap<string, Workload>;
}

/** No rules at all. */
export function emptyModel(trustDomain: string): MeshModel {
  return { trustDomain, services: [], clusters: new Map(), assignments: new Map(), workloads: new Map() };
}
