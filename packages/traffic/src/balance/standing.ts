import type { Candidate, Picker } from './picker.ts';

/** Why an instance gets no calls, or fewer than its weight asks for. */
export type ExclusionReason =
  /** An earlier attempt of the same call went there. */
  | 'tried'
  /** No connection to it can be made. */
  | 'unreachable'
  | 'breaker_open'
  /** Its breaker lets a few calls through to see whether it is well. */
  | 'breaker_half_open'
  /** Taken out because of how it answers. */
  | 'ejected'
  | 'weight_zero'
  /** Another zone or region is nearer and can take the calls. */
  | 'farther_away'
  /** A group of higher priority can take the calls. */
  | 'lower_priority'
  /** New, and warming up. */
  | 'slow_start';

/** A reason with what there is to say about it. */
export interface Exclusion {
  readonly reason: ExclusionReason;
  /** For people: since when, until when, how much. */
  readonly detail?: string;
}

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
