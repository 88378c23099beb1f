import type { experimental } from '@grpc/grpc-js';
import { type Candidate, Load, type LoadGroup } from '@heddle/traffic';
import { priorityOf } from '@heddle/upstream';
import { instanceOf, keyOf } from './instance-endpoint.ts';

/**
 * One endpoint of a channel as a candidate. Never changed, like the picker that holds it: an update makes a new one,
 * around the same connection and the same load.
 */
export class GrpcCandidate implements Candidate {
  readonly id: string;
  readonly weight: number;
  readonly zone: string | undefined;
  readonly region: string | undefined;
  readonly priority: number;
  readonly leaf: experimental.LeafLoadBalancer;
  readonly load: Load;

  constructor(endpoint: experimental.Endpoint, leaf: experimental.LeafLoadBalancer, load: Load) {
    const instance = instanceOf(endpoint);
    this.id = instance?.id ?? keyOf(endpoint);
    this.weight = instance?.weight ?? 100;
    this.zone = instance?.zone;
    this.region = instance?.region;
    this.priority = instance === undefined ? 0 : priorityOf(instance);
    this.leaf = leaf;
    this.load = load;
  }
}

/** The connections of a channel, by where they go: kept through updates that do not touch them. */
export class Leaves {
  readonly #byKey = new Map<string, { readonly leaf: experimental.LeafLoadBalancer; readonly load: Load }>();

  /**
   * The candidates for these endpoints. `make` makes the connection to one that is new; those no longer there are let
   * go, and finish what is on them.
   */
  candidates(
    endpoints: readonly experimental.Endpoint[],
    group: LoadGroup,
    make: (endpoint: experimental.Endpoint) => experimental.LeafLoadBalancer,
  ): GrpcCandidate[] {
    const gone = new Set(this.#byKey.keys());
    const candidates = new Map<string, GrpcCandidate>();
    for (const endpoint of endpoints) {
      const key = keyOf(endpoint);
      gone.delete(key);
      const known = this.#byKey.get(key) ?? { leaf: make(endpoint), load: new Load(group) };
      this.#byKey.set(key, known);
      const candidate = new GrpcCandidate(endpoint, known.leaf, known.load);
      candidates.set(candidate.id, candidate);
    }
    for (const key of gone) this.#drop(key);
    return [...candidates.values()];
  }

  close(): void {
    for (const key of this.#byKey.keys()) this.#drop(key);
  }

  #drop(key: string): void {
    this.#byKey.get(key)?.leaf.destroy();
    this.#byKey.delete(key);
  }
}
