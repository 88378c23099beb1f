import type { Call, Clock, Random } from '@heddle/kernel';
import { Draw } from './draw.ts';
import { type Candidate, inOrderOfId, type Picker, type Policy } from './picker.ts';
import { withWeight } from './untried.ts';

/** What `p2cLatency` works with. */
export interface P2cLatencyOptions {
  readonly random: Random;
  readonly clock: Clock;
}

/** After so long without a call a latency counts a quarter, after twice as long a ninth. */
const forgiveMs = 10_000;
/** What a candidate counts as that has calls and has not answered one: it is tried, not flooded. */
const unknownMs = 1000;
/** The clock is read once in so many picks: it costs as much as a pick. */
const clockEvery = 16;

class P2cLatencyPicker<C extends Candidate> implements Picker<C> {
  readonly policy = 'p2c_latency';
  readonly candidates: readonly C[];
  readonly #draw: Draw<C>;
  readonly #clock: Clock;
  readonly #meanWeight: number;
  #nowMs: number;
  #picks = 0;

  constructor(candidates: readonly C[], { random, clock }: P2cLatencyOptions) {
    const able = withWeight(candidates);
    this.candidates = candidates;
    this.#draw = new Draw(able, random, true);
    this.#clock = clock;
    this.#meanWeight = able.reduce((sum, { weight }) => sum + Math.max(weight, 1), 0) / able.length;
    this.#nowMs = clock.nowMs();
  }

  pick(_call: Call, excluded: readonly string[]): C | undefined {
    this.#picks = (this.#picks + 1) % clockEvery;
    if (this.#picks === 0) this.#nowMs = this.#clock.nowMs();
    const one = this.#draw.untried(excluded);
    const other = this.#draw.untried(excluded);
    if (one === undefined || other === undefined || one === other) return one;
    // Fractions compared crosswise: six divisions would be a third of the pick.
    const sooner = this.#dividend(other) * this.#divisor(one) < this.#dividend(one) * this.#divisor(other);
    return sooner ? other : one;
  }

  /**
   * What a candidate costs, as a fraction: the latency that is expected, times the calls that are before this one and
   * itself, each counted by weight. Here its dividend.
   */
  #dividend({ load, weight }: C): number {
    if (load === undefined) return 0;
    const ahead = load.inFlight * this.#meanWeight;
    return load.latencyMs === 0 ? ahead * unknownMs : load.latencyMs * (ahead + Math.max(weight, 1));
  }

  /** Without calls there are no news: what was slow is forgiven with time, or it would never be tried again. */
  #divisor({ load, weight }: C): number {
    const known = load !== undefined && load.latencyMs > 0;
    const idleMs = known ? Math.max(0, this.#nowMs - load.latencyAtMs) : 0;
    return Math.max(weight, 1) * (forgiveMs + idleMs) * (forgiveMs + idleMs);
  }
}

/**
 * Of two candidates that are drawn by weight, the one that will answer sooner: its latency (a moving average that
 * rises at once and falls slowly, where failures count as slow) times its calls in flight. Needs `Candidate.load`.
 * Source: "peak EWMA" of finagle.
 */
export function p2cLatency(options: P2cLatencyOptions): Policy {
  return <C extends Candidate>(candidates: readonly C[]): Picker<C> =>
    new P2cLatencyPicker(inOrderOfId(candidates), options);
}
