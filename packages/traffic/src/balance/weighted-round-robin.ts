import type { Call } from '@heddle/kernel';
import { type Candidate, inOrderOfId, type Picker, type Policy } from './picker.ts';
import { lowestTerms, Rotation } from './rotation.ts';

class WeightedPicker<C extends Candidate> implements Picker<C> {
  readonly policy = 'weighted_round_robin';
  readonly candidates: readonly C[];
  readonly rotation: Rotation;

  constructor(candidates: readonly C[], rotation: Rotation) {
    this.candidates = candidates;
    this.rotation = rotation;
  }

  pick(_call: Call, excluded: readonly string[]): C | undefined {
    const { candidates, rotation } = this;
    if (candidates.length === 0) return undefined;
    const first = candidates[rotation.next()] as C;
    if (excluded.length === 0 || !excluded.includes(first.id)) return first;
    if (candidates.length === 1) return first;
    for (let steps = rotation.length; steps > 1; steps--) {
      const candidate = candidates[rotation.next()] as C;
      if (!excluded.includes(candidate.id)) return candidate;
    }
    return first;
  }
}

/**
 * Each candidate as often as its weight says, spread evenly: weights 5, 3 and 2 give exactly 5, 3 and 2 of every ten
 * successive picks, and never five in a row to the first.
 *
 * An update keeps every candidate's place: who had waited for 70 % of its turn has 30 % to go, whatever its new
 * weight. Newcomers of one weight are spread over their period, so that they do not all come first.
 */
export const weightedRoundRobin: Policy = <C extends Candidate>(
  candidates: readonly C[],
  previous: Picker<C> | undefined,
): Picker<C> => {
  const ordered = inOrderOfId(candidates);
  const before = previous instanceof WeightedPicker ? (previous as WeightedPicker<C>) : undefined;
  // The common update changes no weight (metadata, a health flag): the rotation simply goes on.
  if (before !== undefined && agree(ordered, before.candidates))
    return new WeightedPicker(ordered, before.rotation);
  const weights = lowestTerms(ordered.map((candidate) => candidate.weight));
  return new WeightedPicker(ordered, new Rotation(weights, phasesOf(ordered, weights, before)));
};

function agree(now: readonly Candidate[], before: readonly Candidate[]): boolean {
  return (
    now.length === before.length &&
    now.every((one, index) => one.id === before[index]?.id && one.weight === before[index].weight)
  );
}

function phasesOf(
  candidates: readonly Candidate[],
  weights: readonly number[],
  before: WeightedPicker<Candidate> | undefined,
): number[] {
  const waits = before?.rotation.waits() ?? [];
  const known = new Map(before?.candidates.map((candidate, index) => [candidate.id, waits[index] as number]));
  const newcomers = new Map<number, number>();
  candidates.forEach((candidate, index) => {
    const weight = weights[index] as number;
    if (!known.has(candidate.id)) newcomers.set(weight, (newcomers.get(weight) ?? 0) + 1);
  });
  const placed = new Map<number, number>();
  return candidates.map((candidate, index) => {
    const wait = known.get(candidate.id);
    if (wait !== undefined) return wait;
    const weight = weights[index] as number;
    const rank = placed.get(weight) ?? 0;
    placed.set(weight, rank + 1);
    return (rank + 0.5) / (newcomers.get(weight) as number);
  });
}
