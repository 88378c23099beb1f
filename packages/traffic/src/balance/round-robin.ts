import type { Call, Random } from '@heddle/kernel';
import { type Candidate, inOrderOfId, type Picker, type Policy } from './picker.ts';

class RoundRobinPicker<C extends Candidate> implements Picker<C> {
  readonly policy = 'round_robin';
  readonly candidates: readonly C[];
  /** Index of the next in turn. */
  #next: number;

  constructor(candidates: readonly C[], next: number) {
    this.candidates = candidates;
    this.#next = candidates.length === 0 ? 0 : next % candidates.length;
  }

  /** Whose turn it is; a newer picker goes on there. */
  get nextId(): string | undefined {
    return this.candidates[this.#next]?.id;
  }

  pick(_call: Call, excluded: readonly string[]): C | undefined {
    const { candidates } = this;
    const first = candidates[this.#next];
    for (let tries = candidates.length; tries > 0; tries--) {
      const candidate = candidates[this.#next] as C;
      this.#next = this.#next + 1 === candidates.length ? 0 : this.#next + 1;
      if (excluded.length === 0 || !excluded.includes(candidate.id)) return candidate;
    }
    // All were tried. The loop has come full circle: it is still the turn of the first.
    return first;
  }
}

/**
 * Each candidate in turn, whatever its weight. Starts at a random one, since many clients that all start with the
 * first would march in step. An update goes on with the candidate whose turn it was, or with its successor.
 */
export function roundRobin(random: Random): Policy {
  return <C extends Candidate>(candidates: readonly C[], previous: Picker<C> | undefined): Picker<C> => {
    const ordered = inOrderOfId(candidates);
    const nextId = previous instanceof RoundRobinPicker ? previous.nextId : undefined;
    if (nextId === undefined)
      return new RoundRobinPicker(ordered, Math.floor(random.float() * ordered.length));
    const next = ordered.findIndex((candidate) => candidate.id >= nextId);
    return new RoundRobinPicker(ordered, Math.max(next, 0));
  };
}
