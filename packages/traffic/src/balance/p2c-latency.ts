import type { Call, Clock, Random } from '@heddle/kernel';
import { Draw } from './draw.ts';
import { Load } from './load.ts';
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
  readonly #able: readonly C[];
  readonly #draw: Draw<C>;
  /** By index: what a choice between two looks at, without looking at the candidates themselves. */
  readonly #loads: readonly Load[];
  readonly #weights: Float64Array;
  readonly #clock: Clock;
  readonly #meanWeight: number;
  #nowMs: number;
  #picks = 0;

  constructor(candidates: readonly C[], { random, clock }: P2cLatencyOptions) {
    const able = withWeight(candidates);
    this.candidates = candidates;
    this.#able = able;
    this.#loads = able.map(({ load }) => load ?? idle);
    this.#weights = Float64Array.from(able, ({ weight }) => Math.max(weight, 1));
    this.#draw = new Draw(able, random, true);
    this.#clock = clock;
    this.#meanWeight = able.reduce((sum, { weight }) => sum + Math.max(weight, 1), 0) / able.length;
    this.#nowMs = clock.nowMs();
  }

  pick(_call: Call, excluded: readonly string[]): C | undefined {
    this.#picks = (this.#picks + 1) % clockEvery;
    if (this.#picks === 0) this.#nowMs = this.#clock.nowMs();
    if (this.#able.length === 0) return undefined;
    if (excluded.length === 0) return this.#able[this.#sooner(this.#draw.index(), this.#draw.index())];
    const one = this.#draw.untried(excluded);
    const other = this.#draw.untried(excluded);
    if (one === undefined || other === undefined || one === other) return one;
    return this.#able[this.#sooner(this.#able.indexOf(one), this.#able.indexOf(other))];
  }

  #sooner(one: number, other: number): number {
    const loads = this.#loads;
    const a = loads[one] as Load;
    const b = loads[other] as Load;
    const aWeight = this.#weights[one] as number;
    const bWeight = this.#weights[other] as number;
    // Fractions compared crosswise: six divisions would be a third of the pick.
    const sooner =
      this.#dividend(b, bWeight) * this.#divisor(a, aWeight) <
      this.#dividend(a, aWeight) * this.#divisor(b, bWeight);
    return sooner ? other : one;
  }

  /**
   * What a candidate costs, as a fraction: the latency that is expected, times the calls that are before this one and
   * itself, each counted by weight. Here its dividend.
   */
  #dividend({ inFlight, latencyMs }: Load, weight: number): number {
    const ahead = inFlight * this.#meanWeight;
    return latencyMs === 0 ? ahead * unknownMs : latencyMs * (ahead + weight);
  }

  /** Without calls there are no news: what was slow is forgiven with time, or it would never be tried again. */
  #divisor({ latencyMs, latencyAtMs }: Load, weight: number): number {
    const idleMs = latencyMs > 0 ? Math.max(0, this.#nowMs - latencyAtMs) : 0;
    const forgiven = forgiveMs + idleMs;
    return weight * forgiven * forgiven;
  }
}

/** Of those whose calls nobody counts: no latency, nothing in flight. */
const idle = new Load();

/**
 * Of two candidates that are drawn by weight, the one that will answer sooner: its latency (a moving average that
 * rises at once and falls slowly, where failures count as slow) times its calls in flight. Needs `Candidate.load`.
 * Source: "peak EWMA" of finagle.
 */
export function p2cLatency(options: P2cLatencyOptions): Policy {
  return <C extends Candidate>(candidates: readonly C[]): Picker<C> =>
    new P2cLatencyPicker(inOrderOfId(candidates), options);
}
