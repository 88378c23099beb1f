import { type Call, type HeddleError, idempotency, idempotencyKey, type Meaning } from '@heddle/kernel';

/** All that the decision to retry depends on, but for the budget. */
export interface Situation {
  readonly meaning: Meaning;
  /** The attempt that has failed, from 1. */
  readonly attempt: number;
  /** Attempts allowed, the first included. */
  readonly attempts: number;
  /** The request can be sent again. */
  readonly replayable: boolean;
  /** It does no harm to send it again (`mayRepeat`). */
  readonly repeatable: boolean;
  /** The wait that the server asked for; negative: do not retry. Undefined: it said nothing. */
  readonly pushbackMs: number | undefined;
  /** The wait that the back-off asks for. */
  readonly backoffMs: number;
  /** Until the call's deadline. */
  readonly remainingMs: number;
  /** The caller has gone. */
  readonly cancelled: boolean;
}

/** Why a call is not tried again. For the decision record and for metrics. */
export type GiveUp =
  | 'settled'
  | 'cancelled'
  | 'attempts_used_up'
  | 'cannot_replay'
  | 'not_idempotent'
  | 'pushed_back'
  | 'deadline_too_near'
  | 'budget_empty';

/** What to do after an attempt. */
export type Decision =
  | { readonly retry: true; readonly delayMs: number }
  | { readonly retry: false; readonly why: GiveUp };

/** Whether to try again, and when. Pure; the order of the questions is the order of importance. */
export function decide(situation: Situation): Decision {
  const { pushbackMs, backoffMs, remainingMs } = situation;
  if (situation.meaning !== 'retryable') return giveUp('settled');
  if (situation.cancelled) return giveUp('cancelled');
  if (situation.attempt >= situation.attempts) return giveUp('attempts_used_up');
  if (!situation.replayable) return giveUp('cannot_replay');
  if (!situation.repeatable) return giveUp('not_idempotent');
  if (pushbackMs !== undefined && pushbackMs < 0) return giveUp('pushed_back');
  const delayMs = pushbackMs ?? backoffMs;
  // An attempt that would start at the deadline only loads the upstream.
  if (delayMs >= remainingMs) return giveUp('deadline_too_near');
  return { retry: true, delayMs };
}

/**
 * Whether it does no harm to send the request again: it provably reached no handler, its method is declared
 * idempotent, or it carries a key under which the receiver does the work once. A plain POST is none of these.
 */
export function mayRepeat(call: Call, error: HeddleError | undefined): boolean {
  if (error !== undefined && !error.sent) return true;
  return call.get(idempotency) !== 'unknown' || call.get(idempotencyKey) !== undefined;
}

/** The decision against a retry. */
export function giveUp(why: GiveUp): Decision {
  return { retry: false, why };
}
