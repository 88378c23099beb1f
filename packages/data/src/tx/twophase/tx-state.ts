/**
 * How far a transaction over several participants is. Presumed abort: nothing is stored before all have voted; what has
 * no stored decision, and nobody who could still store one, was aborted.
 */
export interface TxState {
  readonly status: TxStatus;
  readonly branches: Readonly<Record<string, BranchPhase>>;
  /** Why it is aborted. */
  readonly failure: TxFailure | undefined;
}

/**
 * `working`: branches join and vote. `deciding`: all have voted yes and the decision is being stored; until that is known
 * it is neither. `committing` and `aborting`: decided, and being told. `committed` and `aborted`: confirmed by all.
 */
export type TxStatus = 'working' | 'deciding' | 'committing' | 'aborting' | 'committed' | 'aborted';

/**
 * `asked`: to do its work and prepare. `prepared`: has voted yes. `none`: has voted no, and nothing of it is left.
 * `lost`: nobody knows whether it has prepared. `done`: has confirmed the decision.
 */
export type BranchPhase = 'asked' | 'prepared' | 'none' | 'lost' | 'done';

/** What went wrong, and where. */
export interface TxFailure {
  readonly branch: string;
  readonly code: string;
  readonly reason: string;
  readonly message: string;
}

/** What happens to a transaction. */
export type TxInput =
  /** A branch is begun. */
  | { readonly kind: 'join'; readonly branch: string }
  | { readonly kind: 'voted-yes'; readonly branch: string }
  /** `gone`: the participant is sure that nothing is prepared. */
  | {
      readonly kind: 'voted-no';
      readonly branch: string;
      readonly gone: boolean;
      readonly failure: TxFailure;
    }
  /** No more branches will join. With a failure: abort, whatever the votes. */
  | { readonly kind: 'end'; readonly failure?: TxFailure }
  /** The log has the decision to commit, or never will. */
  | { readonly kind: 'logged'; readonly stored: boolean }
  /** The log does not answer: it may have the decision. */
  | { readonly kind: 'log-unknown' }
  /** A branch has confirmed the decision. */
  | { readonly kind: 'confirmed'; readonly branch: string }
  /** A branch could not be told. */
  | { readonly kind: 'not-told'; readonly branch: string };

/** What is to be done. `tell` again and again until it is confirmed. */
export type TxEffect =
  | { readonly kind: 'log' }
  | { readonly kind: 'tell'; readonly branch: string; readonly decision: 'commit' | 'abort' };
