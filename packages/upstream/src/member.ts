import type { Instance } from '@heddle/discovery';
import type { Service } from '@heddle/kernel';
import type { Candidate, Exclusion, Load } from '@heddle/traffic';
import type { Endpoint } from '@heddle/wire';
import type { Guard } from './guard.ts';

/** The way to one instance: its connections, and the protocol that is spoken over them. */
export interface Upstream<Req, Res> {
  readonly endpoint: Endpoint;
  readonly service: Service<Req, Res>;
}

/** What stays with an instance for as long as it is at one address, whatever the registry says of it. */
export interface Held<Req, Res> {
  readonly upstream: Upstream<Req, Res>;
  readonly guard: Guard<Req, Res>;
  readonly load: Load;
  /** Where it is: `host:port`. */
  readonly address: string;
}

/**
 * The failover group that an instance states in its metadata, as `priority`: 0 before 1 before 2. One that states none,
 * or no whole number, is of the first.
 */
export function priorityOf({ metadata }: Instance): number {
  const text = metadata['priority'] ?? '';
  return /^\d{1,3}$/.test(text) ? Number(text) : 0;
}

const unreachable: Exclusion = { reason: 'unreachable' };

/**
 * One instance of a target as a client holds it. Never changed, like the picker that holds it: when the registry says
 * something new of the instance, another member takes its place, and the way to it with all connections is kept.
 */
export class Member<Req, Res> implements Candidate {
  readonly id: string;
  readonly instance: Instance;
  readonly held: Held<Req, Res>;
  readonly weight: number;
  readonly zone: string;
  readonly region: string;
  readonly priority: number;
  readonly load: Load;

  constructor(instance: Instance, held: Held<Req, Res>) {
    this.id = instance.id;
    this.instance = instance;
    this.held = held;
    this.weight = instance.weight;
    this.zone = instance.zone;
    this.region = instance.region;
    this.priority = priorityOf(instance);
    this.load = held.load;
  }

  get address(): string {
    return this.held.address;
  }

  get upstream(): Upstream<Req, Res> {
    return this.held.upstream;
  }

  /** False from a failed connection until one has been made again, which the endpoint tries by itself. */
  get reachable(): boolean {
    return this.held.upstream.endpoint.state !== 'failing';
  }

  /** Why no call should go there now. */
  get blocked(): Exclusion | undefined {
    return this.reachable ? this.held.guard.blocked : unreachable;
  }
}
