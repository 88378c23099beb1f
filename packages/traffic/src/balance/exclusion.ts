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
