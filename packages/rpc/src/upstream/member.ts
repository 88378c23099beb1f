import type { Runtime, Service } from '@heddle/kernel';
import type { Candidate } from '@heddle/traffic';

/** The way to one instance: made when the instance appears, let go when it leaves. */
export interface Upstream<Req, Res> {
  readonly service: Service<Req, Res>;
  /** Takes nothing new; resolves when what is in flight is done and the connections are closed. */
  drain(): Promise<void>;
  /** Drops everything. */
  close(): void;
}

/** The shortest and the longest time that an instance is left alone after a connection to it has failed. */
const firstBackoffMs = 500;
const longestBackoffMs = 20_000;

/**
 * One instance of a target as a client holds it: the way to it, and whether it can be reached.
 * The way stays when the registry changes what it says of the instance; only another address makes another member.
 */
export class Member<Req, Res> implements Candidate {
  readonly id: string;
  /** Where it is: `host:port`. */
  readonly address: string;
  readonly upstream: Upstream<Req, Res>;
  weight: number;
  readonly #runtime: Runtime;
  #failures = 0;
  #backoffUntilMs = 0;

  constructor(
    at: { id: string; address: string; weight: number },
    upstream: Upstream<Req, Res>,
    runtime: Runtime,
  ) {
    this.id = at.id;
    this.address = at.address;
    this.weight = at.weight;
    this.upstream = upstream;
    this.#runtime = runtime;
  }

  /** How long calls should still go elsewhere; 0: it may be picked. */
  get backoffMs(): number {
    return Math.max(0, this.#backoffUntilMs - this.#runtime.clock.nowMs());
  }

  /** It has answered, or has at least been reached. True if that ends a back-off. */
  reached(): boolean {
    const ends = this.#failures > 0;
    this.#failures = 0;
    this.#backoffUntilMs = 0;
    return ends;
  }

  /**
   * A connection to it has failed. Doubles the back-off, with jitter from half to all of it, so that the clients of a
   * server that restarts do not all come back at once. True if that begins a back-off: many calls that fail together
   * count once.
   */
  unreachable(): boolean {
    if (this.backoffMs > 0) return false;
    const fullMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** this.#failures);
    this.#failures++;
    this.#backoffUntilMs = this.#runtime.clock.nowMs() + fullMs * (0.5 + this.#runtime.random.float() / 2);
    return true;
  }
}
