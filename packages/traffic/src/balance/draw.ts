import type { Random } from '@heddle/kernel';
import type { Candidate } from './picker.ts';
import { nextUntried } from './untried.ts';

/** Draws among tried ones before the rest is searched: few calls have tried more than two of many. */
const redraws = 8;

/**
 * Draws indexes at random, each as often as its weight says, O(1) a draw whatever the number.
 * Source: A. Walker's alias method, in M. Vose's form, 1991.
 */
export class Draw<C extends Candidate> {
  readonly #candidates: readonly C[];
  readonly #random: Random;
  /** The share of its cell that an index keeps for itself; undefined when all weigh the same. */
  readonly #keep: Float64Array | undefined;
  /** Who gets the rest of the cell. */
  readonly #alias: Uint32Array;

  /** `weighted`: false gives each the same chance. */
  constructor(candidates: readonly C[], random: Random, weighted: boolean) {
    this.#candidates = candidates;
    this.#random = random;
    const first = candidates[0]?.weight;
    const equal = !weighted || candidates.every((candidate) => candidate.weight === first);
    this.#alias = new Uint32Array(equal ? 0 : candidates.length);
    this.#keep = equal ? undefined : aliases(candidates, this.#alias);
  }

  /** One of them, tried or not. Undefined if there is none. */
  any(): C | undefined {
    return this.#candidates[this.index()];
  }

  /** One that was not tried, if there is one. */
  untried(excluded: readonly string[]): C | undefined {
    const first = this.any();
    if (excluded.length === 0 || first === undefined || !excluded.includes(first.id)) return first;
    for (let left = redraws; left > 0; left--) {
      const candidate = this.any() as C;
      if (!excluded.includes(candidate.id)) return candidate;
    }
    return nextUntried(this.#candidates, this.index(), excluded) ?? first;
  }

  /** The index of one of them. Means nothing if there is none. */
  index(): number {
    const keep = this.#keep;
    const x = this.#random.float() * this.#candidates.length;
    // As a 32-bit number, which is what an array wants; there are fewer candidates than 2^31.
    const cell = x | 0;
    if (keep === undefined) return cell;
    return x - cell < (keep[cell] as number) ? cell : (this.#alias[cell] as number);
  }
}

function aliases(candidates: readonly Candidate[], alias: Uint32Array): Float64Array {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  const keep = Float64Array.from(candidates, ({ weight }) => (weight * candidates.length) / total);
  const small: number[] = [];
  const large: number[] = [];
  for (const [index, share] of keep.entries()) (share < 1 ? small : large).push(index);
  for (;;) {
    const giver = large.at(-1);
    const taker = small.pop();
    if (giver === undefined || taker === undefined) break;
    alias[taker] = giver;
    const left = (keep[giver] as number) - (1 - (keep[taker] as number));
    keep[giver] = left;
    if (left >= 1) continue;
    large.pop();
    small.push(giver);
  }
  // What is left over is a whole cell, but for rounding.
  for (const index of [...small, ...large]) keep[index] = 1;
  return keep;
}
