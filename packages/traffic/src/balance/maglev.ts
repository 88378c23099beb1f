import type { Call } from '@heddle/kernel';
import { checkOptions } from '../options/check-options.ts';
import { BoundedLoad } from './bounded-load.ts';
import { hash32, mix32 } from './hash.ts';
import { type Candidate, inOrderOfId, type Picker, type Policy } from './picker.ts';
import { type HashOptions, hashOf, hashRules } from './ring-hash.ts';
import { nextUntried, withWeight } from './untried.ts';

/** Primes, as the paper asks for. */
const smallSize = 65_537;
const largeSize = 655_373;
/**
 * Places for each instance where the larger table has them: the more, the fewer keys move that need not (with 650
 * places half of 1/N, with 5000 a seventh of it).
 */
const placesEach = 5000;
/** Other places that a key may go to when its own is full or was tried. */
const alternatives = 32;

class MaglevPicker<C extends Candidate> implements Picker<C> {
  readonly policy = 'maglev';
  readonly candidates: readonly C[];
  readonly able: readonly C[];
  readonly table: Uint32Array;
  readonly #options: HashOptions;
  readonly #bound: BoundedLoad | undefined;

  constructor(candidates: readonly C[], able: readonly C[], table: Uint32Array, options: HashOptions) {
    this.candidates = candidates;
    this.able = able;
    this.table = table;
    this.#options = options;
    const { boundedLoad } = options;
    this.#bound = boundedLoad === undefined ? undefined : new BoundedLoad(boundedLoad, able);
  }

  pick(call: Call, excluded: readonly string[]): C | undefined {
    if (this.able.length === 0) return undefined;
    const hash = hashOf(call, this.#options);
    const first = this.#at(hash);
    return this.#takes(first, excluded) ? first : this.#other(hash, first, excluded);
  }

  #at(hash: number): C {
    return this.able[this.table[hash % this.table.length] as number] as C;
  }

  #takes(candidate: C, excluded: readonly string[]): boolean {
    if (excluded.length > 0 && excluded.includes(candidate.id)) return false;
    return this.#bound === undefined || !this.#bound.isFull(candidate);
  }

  /** The key's other places, always in the same order; then whoever is next to the first. */
  #other(hash: number, first: C, excluded: readonly string[]): C {
    let place = hash;
    for (let left = alternatives; left > 0; left--) {
      place = mix32((place + 0x9e3779b9) | 0);
      const candidate = this.#at(place);
      if (this.#takes(candidate, excluded)) return candidate;
    }
    return nextUntried(this.able, this.able.indexOf(first), excluded) ?? first;
  }
}

/**
 * Calls with the same `hashKey` to the same instance, by a table in which every instance has its exact share: more even
 * than `ringHash` (1.01 of the mean against 1.3) and as fast. When one of N comes or goes, a few keys more than 1/N
 * move, and an update makes the table anew (some milliseconds for a thousand instances).
 * Source: D. Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", 2016; weights as in Envoy.
 */
export function maglev(options: HashOptions): Policy {
  checkOptions('maglev', options, hashRules);
  return <C extends Candidate>(candidates: readonly C[], previous: Picker<C> | undefined): Picker<C> => {
    const ordered = inOrderOfId(candidates);
    const able = withWeight(ordered);
    const before = previous instanceof MaglevPicker ? (previous as MaglevPicker<C>) : undefined;
    const table = before !== undefined && agree(able, before.able) ? before.table : tableOf(able);
    return new MaglevPicker(ordered, able, table, options);
  };
}

function agree(now: readonly Candidate[], before: readonly Candidate[]): boolean {
  return (
    now.length === before.length &&
    now.every((one, index) => one.id === before[index]?.id && one.weight === before[index].weight)
  );
}

/** Each in turn takes the next free place of its own order of all places, until none is free. */
function tableOf(able: readonly Candidate[]): Uint32Array {
  const count = able.length;
  const size = placesEach * count <= smallSize ? smallSize : largeSize;
  const table = new Uint32Array(size);
  if (count < 2) return table;
  const taken = new Uint8Array(size);
  const place = Float64Array.from(able, ({ id }) => hash32(id) % size);
  const skip = Float64Array.from(able, ({ id }) => (hash32(id, 0x9e3779b9) % (size - 1)) + 1);
  const weights = sharesOfHeaviest(able);
  const due = new Float64Array(count);
  for (let left = size, round = 1; ; round++) {
    for (let index = 0; index < count; index++) {
      if (round * (weights[index] as number) < (due[index] as number)) continue;
      due[index] = (due[index] as number) + 1;
      const step = skip[index] as number;
      let at = place[index] as number;
      while (taken[at] === 1) at = at + step >= size ? at + step - size : at + step;
      table[at] = index;
      taken[at] = 1;
      place[index] = at + step >= size ? at + step - size : at + step;
      if (--left === 0) return table;
    }
  }
}

function sharesOfHeaviest(able: readonly Candidate[]): Float64Array {
  const heaviest = able.reduce((most, { weight }) => Math.max(most, weight), 0);
  return Float64Array.from(able, ({ weight }) => (heaviest === 0 ? 1 : weight / heaviest));
}
