import type { Candidate } from './picker.ts';

/**
 * How much of the load one instance may take when keys decide: `factor` times its fair share, rounded up. A key whose
 * instance is full goes to the next, always the same one. Source: V. Mirrokni, M. Thorup and M. Zadimoghaddam,
 * "Consistent Hashing with Bounded Loads", 2016.
 */
export class BoundedLoad {
  readonly #factor: number;
  readonly #totalWeight: number;

  constructor(factor: number, candidates: readonly Candidate[]) {
    this.#factor = factor;
    this.#totalWeight = candidates.reduce((sum, { weight }) => sum + (weight > 0 ? weight : 1), 0);
  }

  /** True if one more call would be too many for it. */
  isFull({ load, weight }: Candidate): boolean {
    if (load === undefined) return false;
    const share = (weight > 0 ? weight : 1) / this.#totalWeight;
    return load.inFlight + 1 > Math.ceil(this.#factor * (load.group.inFlight + 1) * share);
  }
}
