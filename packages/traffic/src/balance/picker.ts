import type { Call, CallKey } from '@heddle/kernel';
import { callKey } from '@heddle/kernel';
import type { Load } from './load.ts';
import type { Exclusion } from './exclusion.ts';

/** One instance that a call may be sent to, as the balancer sees it. */
export interface Candidate {
  /** Stable over the life of the instance. */
  readonly id: string;
  /** Share of the traffic relative to the others: a whole number, 0 or more. 0 takes none while others can. */
  readonly weight: number;
  /** Where it runs: what `locality` decides by. Default: nowhere, which is no client's own zone. */
  readonly zone?: string | undefined;
  readonly region?: string | undefined;
  /** The failover group it belongs to, 0 (the default) before 1 before 2: what `byPriority` decides by. */
  readonly priority?: number | undefined;
  /**
   * What it is doing, kept by whoever holds the instance and the same object in every picker. Without one it counts
   * as idle: least request and the like then pick at random.
   */
  readonly load?: Load | undefined;
  /**
   * Why no call should go there now (its breaker is open, it was ejected, it cannot be reached); undefined: nothing
   * is known against it. Read at each pick, so a getter may answer; it must be cheap. See `available`.
   */
  readonly blocked?: Exclusion | undefined;
}

/**
 * Chooses one candidate for each call out of a fixed set.
 *
 * A picker is a snapshot: its set never changes, an update makes a new picker (`Policy`). All that may change within
 * it is how far it has got. `pick` runs on every attempt of every call, so it
 * - must not block, and must not throw: undefined means that the set is empty;
 * - must not copy, sort or filter the set;
 * - avoids the `excluded` ids (instances that the same call has already tried) as long as another one is left, and
 *   takes an excluded one rather than none.
 *
 * A pick is not a call: what is in flight is counted by whoever sends it (`Load.begin`), at once after the pick.
 *
 * Source: the contract of `balancer.Picker` in grpc-go.
 */
export interface Picker<C extends Candidate> {
  /** The policy that made it, for decision records: `round_robin`, `locality(least_request)`. */
  readonly policy: string;
  /** All that the policy was given, in the order of the ids. */
  readonly candidates: readonly C[];
  pick(call: Call, excluded: readonly string[]): C | undefined;
  /** Why this one gets less than its weight asks for, or nothing. For people: see `standings`. */
  exclusionOf?(candidate: C): Exclusion | undefined;
}

/**
 * Makes the picker for a new set. `previous` is the picker in use until now, if it was made by the same policy: its
 * progress is taken over, so that an update neither starts the rotation anew nor sends a burst.
 * Must not throw; candidates have distinct ids and may come in any order.
 */
export type Policy = <C extends Candidate>(
  candidates: readonly C[],
  previous: Picker<C> | undefined,
) => Picker<C>;

/** Nothing tried yet. The one empty list, so that asking costs nothing. */
export const noneExcluded: readonly string[] = [];

/** Set on an attempt by who repeats it (`retry`, `hedge`): ids of the instances that the earlier attempts went to. */
export const excluded: CallKey<readonly string[]> = callKey('excluded-instances', noneExcluded);

/** Set on an attempt by who balances: the id of the instance that it went to. */
export const picked: CallKey<string | undefined> = callKey<string | undefined>('picked-instance', undefined);

/** The same candidates in the order of their ids: what every policy starts from, so that all clients agree on it. */
export function inOrderOfId<C extends Candidate>(candidates: readonly C[]): readonly C[] {
  return candidates.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
