import type { Service } from '@heddle/kernel';
import type { Candidate } from '@heddle/traffic';
import type { Endpoint } from '@heddle/wire';

/** The way to one instance: its connections, and the protocol that is spoken over them. */
export interface Upstream<Req, Res> {
  readonly endpoint: Endpoint;
  readonly service: Service<Req, Res>;
}

/**
 * One instance of a target as a client holds it. Never changed, like the picker that holds it: when the registry says
 * something new of the instance, another member takes its place, and the way to it with all connections is kept.
 */
export class Member<Req, Res> implements Candidate {
  readonly id: string;
  /** Where it is: `host:port`. */
  readonly address: string;
  readonly upstream: Upstream<Req, Res>;
  readonly weight: number;

  constructor(id: string, address: string, weight: number, upstream: Upstream<Req, Res>) {
    this.id = id;
    this.address = address;
    this.weight = weight;
    this.upstream = upstream;
  }

  /** False from a failed connection until one has been made again, which the endpoint tries by itself. */
  get reachable(): boolean {
    return this.upstream.endpoint.state !== 'failing';
  }
}
