import type { Call, Clock, Random } from '@heddle/kernel';
import { Draw } from './draw.ts';
import { type Candidate, inOrderOfId, type Picker, type Policy } from './picker.ts';
import { withWeight } from './untried.ts';

/** What `p2cLatency` works with. */
export interface P2cLatencyOptions {
  readonly random: Random;
  readonly clock: Clock;
}

const decayMs = 10_000;
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
    this.#meanWeight = able.reduce((sum, { weight }) => sum + weight, 0) / able.length;
    this.#nowMs = clock.nowMs();
  }

  pick(_call: Call, excluded: readonly string[]): C | undefined {
    this.#picks = (this.#picks + 1) % clockEvery;
    if (this.#picks === 0) this.#nowMs = this.#clock.nowMs();
    const one = this.#draw.untried(excluded);
    const other = this.#draw.untried(excluded);
    if (one === undefined || other === undefined || one === other) return one;
    return this.#costOf(other) < this.#costOf(one) ? other : one;
  }

  /** The latency that is expected, times the calls that are before this one. */
  #costOf({ load, weight }: C): number {
    if (load === undefined) return 0;
    const ahead = weight > 0 ? (load.inFlight * this.#meanWeight) / weight : load.inFlight;
    if (load.latencyMs === 0) return ahead * unknownMs;
    // Without calls there are no news: what was slow is forgiven with time, or it would never be tried again.
    const idleMs = Math.max(0, this.#nowMs - load.latencyAtMs);
    const latencyMs = idleMs > 1000 ? load.latencyMs * Math.exp(-idleMs / decayMs) : load.latencyMs;
    return latencyMs * (ahead + 1);
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
