import type { Call, HeddleError } from '@heddle/kernel';

/** A branch of a transaction: its part in one participant. */
export interface BranchId {
  readonly tx: string;
  readonly branch: string;
}

/** What a transaction comes to. */
export type Decision = 'commit' | 'abort';

/** What the log says of a transaction; `undecided`: whoever runs it may decide yet, so wait. */
export type KnownDecision = Decision | 'undecided';

/** A branch that has voted yes and has heard of no decision. */
export interface PreparedBranch extends BranchId {
  readonly ageMs: number;
}

/** What can take part in a transaction. */
export interface Participant {
  /** Unique among the participants of a coordinator, and the same in every process. */
  readonly name: string;
  /** Rejects with `failed_precondition` when it cannot take part as it is set up. */
  check(): Promise<void>;
  /**
   * Carries out the decision. Resolves when nothing of the branch is prepared any more: also if it has been told before,
   * or has never heard of it. Rejects while that is not sure.
   */
  settle(id: BranchId, decision: Decision): Promise<void>;
  /** What is prepared here for any transaction, if that can be listed. */
  prepared?(): Promise<readonly PreparedBranch[]>;
}

/** A vote. `gone`: the participant is sure that nothing is prepared. */
export type Vote<Result> =
  | { readonly yes: true; readonly value: Result }
  | { readonly yes: false; readonly gone: boolean; readonly error: HeddleError };

/** Work for one participant. Made by the participant's `branch`. */
export interface Branch<Result> {
  readonly participant: Participant;
  /** Does the work and prepares it: after a yes it survives everything until it is settled. Never rejects. */
  prepare(id: BranchId, call: Call): Promise<Vote<Result>>;
}

/** What every global id begins with. What follows is the id of the log, so nobody settles what another log decides. */
export const globalPrefix = 'heddle';

/** `heddle/<tx>/<branch>`: unique per server, which is what PostgreSQL and MariaDB ask for, not per database. */
export function globalId(space: string, { tx, branch }: BranchId): string {
  return `${space}/${tx}/${branch}`;
}

/** The other way round; undefined for what is not ours. */
export function branchOf(space: string, gid: string): BranchId | undefined {
  const [prefix, tx, branch, ...more] = gid.split('/');
  if (prefix !== space || tx === undefined || branch === undefined || more.length > 0) return undefined;
  return { tx, branch };
}
