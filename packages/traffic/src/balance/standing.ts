import type { Candidate, Picker } from './picker.ts';
import type { Exclusion } from './exclusion.ts';

/** How one candidate stands with a picker. */
export interface Standing<C extends Candidate> {
  readonly candidate: C;
  /** Undefined: it gets what its weight asks for. */
  readonly exclusion: Exclusion | undefined;
}

/**
 * How each candidate stands, with the reason of who stands back: for decision records and `explain`. `tried` are the
 * ids that the call is to avoid. It makes a list, so it is for the calls that are recorded, not for all.
 */
export function standings<C extends Candidate>(picker: Picker<C>, tried: readonly string[]): Standing<C>[] {
  return picker.candidates.map((candidate) => ({
    candidate,
    exclusion: exclusionOf(picker, candidate, tried),
  }));
}

function exclusionOf<C extends Candidate>(
  picker: Picker<C>,
  candidate: C,
  tried: readonly string[],
): Exclusion | undefined {
  if (tried.includes(candidate.id)) return { reason: 'tried' };
  if (candidate.blocked !== undefined) return candidate.blocked;
  if (candidate.weight === 0) return { reason: 'weight_zero' };
  return picker.exclusionOf?.(candidate);
}
