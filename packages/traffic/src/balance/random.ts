import type { Call, Random } from '@heddle/kernel';
import { Draw } from './draw.ts';
import { type Candidate, inOrderOfId, type Picker, type Policy } from './picker.ts';
import { withWeight } from './untried.ts';

class RandomPicker<C extends Candidate> implements Picker<C> {
  readonly policy: string;
  readonly candidates: readonly C[];
  readonly #draw: Draw<C>;

  constructor(policy: string, candidates: readonly C[], draw: Draw<C>) {
    this.policy = policy;
    this.candidates = candidates;
    this.#draw = draw;
  }

  pick(_call: Call, excluded: readonly string[]): C | undefined {
    return this.#draw.untried(excluded);
  }
}

/** Any candidate with the same chance, whatever its weight. */
export function random(chance: Random): Policy {
  return <C extends Candidate>(candidates: readonly C[]): Picker<C> => {
    const ordered = inOrderOfId(candidates);
    return new RandomPicker('random', ordered, new Draw(ordered, chance, false));
  };
}

/** Any candidate, each with the chance that its weight says. */
export function weightedRandom(chance: Random): Policy {
  return <C extends Candidate>(candidates: readonly C[]): Picker<C> => {
    const ordered = inOrderOfId(candidates);
    return new RandomPicker('weighted_random', ordered, new Draw(withWeight(ordered), chance, true));
  };
}
