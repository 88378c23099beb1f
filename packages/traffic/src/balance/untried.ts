import type { Candidate } from './picker.ts';

/** The first from index `start` on, going round, that was not tried; undefined if all were. */
export function nextUntried<C extends Candidate>(
  candidates: readonly C[],
  start: number,
  excluded: readonly string[],
): C | undefined {
  let at = start;
  for (let left = candidates.length; left > 0; left--) {
    const candidate = candidates[at] as C;
    if (!excluded.includes(candidate.id)) return candidate;
    at = at + 1 === candidates.length ? 0 : at + 1;
  }
  return undefined;
}

/** Those with a weight above 0; all of them, if there is none. In their order. */
export function withWeight<C extends Candidate>(candidates: readonly C[]): readonly C[] {
  // The common set has no zeros, and keeps its list.
  if (candidates.every((candidate) => candidate.weight > 0)) return candidates;
  const weighted = candidates.filter((candidate) => candidate.weight > 0);
  return weighted.length > 0 ? weighted : candidates;
}
