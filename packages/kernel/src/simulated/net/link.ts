import type { Random } from '../../ports/random.ts';

/** What one direction between two hosts is like. */
export interface LinkConditions {
  /** One way. Default 0.5. */
  readonly latencyMs: number;
  /** Added at random, uniformly, from nothing to this. Packets of one connection keep their order. Default 0.5. */
  readonly jitterMs: number;
  /** How likely a packet is lost, 0 to 1. TCP sends it again: loss shows as delay. Default 0. */
  readonly loss: number;
  /** Default unlimited. */
  readonly bytesPerMs: number;
  /** Nothing gets through, and nobody is told. Default false. */
  readonly blocked: boolean;
}

/** Two machines in one room. */
export const lan: LinkConditions = {
  latencyMs: 0.5,
  jitterMs: 0.5,
  loss: 0,
  bytesPerMs: Number.POSITIVE_INFINITY,
  blocked: false,
};

/** From a machine to itself. */
export const loopback: LinkConditions = { ...lan, latencyMs: 0.02, jitterMs: 0.02 };

/** One direction between two hosts. */
export class Link {
  conditions: LinkConditions;
  readonly #random: Random;
  #freeAtMs = 0;

  constructor(conditions: LinkConditions, random: Random) {
    this.conditions = conditions;
    this.#random = random;
  }

  /** How long a packet of that size takes that is sent at `nowMs`. Takes up the link while it is being sent. */
  delayMs(nowMs: number, bytes: number): number {
    const { latencyMs, jitterMs, bytesPerMs } = this.conditions;
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs) + bytes / bytesPerMs;
    return this.#freeAtMs - nowMs + latencyMs + this.#random.float() * jitterMs;
  }

  /** Whether a packet that is due now has got through. Decided at the end of its way: a cut takes what is on it. */
  delivers(): boolean {
    const { blocked, loss } = this.conditions;
    return !blocked && (loss === 0 || this.#random.float() >= loss);
  }
}
