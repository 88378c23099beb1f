import type { Call, Random } from '@heddle/kernel';
import { checkOptions, wholeFrom } from '../options/check-options.ts';
import { Draw } from './draw.ts';
import { Load } from './load.ts';
import { type Candidate, inOrderOfId, type Picker, type Policy } from './picker.ts';
import { withWeight } from './untried.ts';

/** What `leastRequest` may be told. */
export interface LeastRequestOptions {
  /** Up to so many candidates all are looked at; of more, the better of two drawn ones is taken. Default 10. */
  readonly scanUpTo?: number;
}

class LeastRequestPicker<C extends Candidate> implements Picker<C> {
  readonly policy = 'least_request';
  readonly candidates: readonly C[];
  readonly #able: readonly C[];
  readonly #random: Random;
  readonly #draw: Draw<C>;
  readonly #scanUpTo: number;
  /** By index: what a choice between two looks at, without looking at the candidates themselves. */
  readonly #loads: readonly Load[];
  readonly #weights: Float64Array;

  constructor(candidates: readonly C[], random: Random, scanUpTo: number) {
    this.candidates = candidates;
    this.#able = withWeight(candidates);
    this.#random = random;
    this.#draw = new Draw(this.#able, random, true);
    this.#scanUpTo = scanUpTo;
    this.#loads = this.#able.map(({ load }) => load ?? idle);
    this.#weights = Float64Array.from(this.#able, weightOf);
  }

  pick(_call: Call, excluded: readonly string[]): C | undefined {
    if (this.#able.length <= this.#scanUpTo) return this.#leastOfAll(excluded) ?? this.#draw.any();
    if (this.#able.length === 0) return undefined;
    if (excluded.length === 0) return this.#able[this.#betterOfTwo()];
    const one = this.#draw.untried(excluded);
    const other = this.#draw.untried(excluded);
    if (one === undefined || other === undefined) return undefined;
    return inFlightOf(other) * weightOf(one) < inFlightOf(one) * weightOf(other) ? other : one;
  }

  #betterOfTwo(): number {
    const one = this.#draw.index();
    const other = this.#draw.index();
    const loads = this.#loads;
    const weights = this.#weights;
    const first = (loads[one] as Load).inFlight * (weights[other] as number);
    const second = (loads[other] as Load).inFlight * (weights[one] as number);
    return second < first ? other : one;
  }

  /** The least busy; among equally busy ones by weight and chance: the first of the list is nobody's favourite. */
  #leastOfAll(excluded: readonly string[]): C | undefined {
    let least = Number.POSITIVE_INFINITY;
    let weights = 0;
    for (const candidate of this.#able) {
      const cost = costOf(candidate);
      if (cost > least || isTried(candidate, excluded)) continue;
      if (cost < least) weights = 0;
      least = cost;
      weights += weightOf(candidate);
    }
    let draw = this.#random.float() * weights;
    let last: C | undefined;
    for (const candidate of this.#able) {
      if (costOf(candidate) !== least || isTried(candidate, excluded)) continue;
      last = candidate;
      draw -= weightOf(candidate);
      if (draw < 0) break;
    }
    return last;
  }
}

/** Of those whose calls nobody counts. */
const idle = new Load();

function costOf(candidate: Candidate): number {
  return inFlightOf(candidate) / weightOf(candidate);
}

function inFlightOf({ load }: Candidate): number {
  return load === undefined ? 0 : load.inFlight;
}

function weightOf({ weight }: Candidate): number {
  return weight > 0 ? weight : 1;
}

function isTried({ id }: Candidate, excluded: readonly string[]): boolean {
  return excluded.length > 0 && excluded.includes(id);
}

/**
 * The candidate with the fewest calls in flight for its weight. Of few all are compared, of many two that are drawn by
 * weight: nearly as even, at a cost that does not grow. Among idle ones the shares are those of the weights.
 * Source: M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 1996.
 */
export function leastRequest(random: Random, options: LeastRequestOptions = {}): Policy {
  checkOptions('least request', options, { scanUpTo: wholeFrom(0) });
  const { scanUpTo = 10 } = options;
  return <C extends Candidate>(candidates: readonly C[]): Picker<C> =>
    new LeastRequestPicker(inOrderOfId(candidates), random, scanUpTo);
}
