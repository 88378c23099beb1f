import type { BranchPhase, TxEffect, TxFailure, TxInput, TxState } from './tx-state.ts';

/** Where a transaction begins. */
export const newTx: TxState = { status: 'working', branches: {}, failure: undefined };

/** The transaction of a stored decision, as one takes it over whose coordinator died: every branch is told again. */
export function decidedTx(branches: readonly string[]): TxState {
  const phases = Object.fromEntries(branches.map((name) => [name, 'prepared'] as const));
  return { status: branches.length === 0 ? 'committed' : 'committing', branches: phases, failure: undefined };
}

/**
 * One input. Pure; what says nothing new changes nothing.
 *
 * Commits only if every branch that joined has voted yes and the log has the decision: one that is missing, or lost, is
 * an abort. Once decided nothing changes the decision, and it is told until it is confirmed.
 * Source: C. Mohan, B. Lindsay, R. Obermarck, "Transaction Management in the R* Distributed Database Management System",
 * ACM TODS 1986 (presumed abort).
 */
export function stepTx(
  state: TxState,
  input: TxInput,
): { readonly state: TxState; readonly effects: readonly TxEffect[] } {
  switch (input.kind) {
    case 'join':
      return join(state, input.branch);
    case 'voted-yes':
      return voted(state, input.branch, 'prepared', undefined);
    case 'voted-no':
      return voted(state, input.branch, input.gone ? 'none' : 'lost', input.failure);
    case 'end':
      return end(state, input.failure);
    case 'logged':
      return logged(state, input.stored);
    case 'log-unknown':
      return state.status === 'deciding' ? { state, effects: [{ kind: 'log' }] } : same(state);
    case 'confirmed':
      return confirmed(state, input.branch);
    case 'not-told':
      return isDecided(state) && isOpen(state.branches[input.branch])
        ? { state, effects: [tell(state, input.branch)] }
        : same(state);
  }
}

type Step = ReturnType<typeof stepTx>;

function join(state: TxState, branch: string): Step {
  if (state.status !== 'working' || state.branches[branch] !== undefined) return same(state);
  return same({ ...state, branches: { ...state.branches, [branch]: 'asked' } });
}

function voted(state: TxState, branch: string, phase: BranchPhase, failure: TxFailure | undefined): Step {
  if (state.branches[branch] !== 'asked') return same(state);
  const next: TxState = {
    ...state,
    branches: { ...state.branches, [branch]: phase },
    failure: state.failure ?? failure,
  };
  // A vote that comes when the others have given up: it is told at once.
  if (next.status !== 'aborting') return same(next);
  return { state: ended(next), effects: isOpen(phase) ? [tell(next, branch)] : [] };
}

function end(state: TxState, failure: TxFailure | undefined): Step {
  if (state.status !== 'working') return same(state);
  const phases = Object.entries(state.branches);
  const missing = phases.find(([, phase]) => phase !== 'prepared');
  const why = failure ?? state.failure ?? (missing && notHeard(missing[0]));
  if (why !== undefined) return abort({ ...state, failure: why });
  if (phases.length === 0) return same({ ...state, status: 'committed' });
  return { state: { ...state, status: 'deciding' }, effects: [{ kind: 'log' }] };
}

function logged(state: TxState, stored: boolean): Step {
  if (state.status !== 'deciding') return same(state);
  if (!stored) return abort({ ...state, failure: fenced });
  const next: TxState = { ...state, status: 'committing' };
  return { state: next, effects: Object.keys(next.branches).map((branch) => tell(next, branch)) };
}

function confirmed(state: TxState, branch: string): Step {
  if (!isDecided(state) || !isOpen(state.branches[branch])) return same(state);
  const branches: TxState['branches'] = { ...state.branches, [branch]: 'done' };
  return same(ended({ ...state, branches }));
}

/** Tells all that have something prepared, or may have. */
function abort(state: TxState): Step {
  const next = ended({ ...state, status: 'aborting' });
  const open = Object.keys(next.branches).filter((name) => isOpen(next.branches[name]));
  return { state: next, effects: open.map((branch) => tell(next, branch)) };
}

function ended(state: TxState): TxState {
  const open = Object.values(state.branches).some((phase) => isOpen(phase) || phase === 'asked');
  if (open) return state;
  return { ...state, status: state.status === 'committing' ? 'committed' : 'aborted' };
}

function tell({ status }: TxState, branch: string): TxEffect {
  return { kind: 'tell', branch, decision: status === 'committing' ? 'commit' : 'abort' };
}

function isDecided({ status }: TxState): boolean {
  return status === 'committing' || status === 'aborting';
}

function isOpen(phase: BranchPhase | undefined): boolean {
  return phase === 'prepared' || phase === 'lost';
}

function same(state: TxState): Step {
  return { state, effects: [] };
}

const fenced: TxFailure = {
  branch: '',
  code: 'aborted',
  reason: 'COORDINATOR_FENCED',
  message: 'the lease of this coordinator had ended before the decision was stored',
};

function notHeard(branch: string): TxFailure {
  const message = `branch ${branch} has not voted`;
  return { branch, code: 'aborted', reason: 'NO_VOTE', message };
}
