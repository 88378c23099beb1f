import type { TraceContext } from '@heddle/kernel';
import type {
  SagaEffect,
  SagaFailure,
  SagaInput,
  SagaPlan,
  SagaState,
  StepPlan,
  StepState,
} from './saga-state.ts';

/** Where a saga begins. */
export function newSaga(plan: SagaPlan, nowMs: number, trace?: TraceContext): SagaState {
  const deadlineMs = plan.timeoutMs === undefined ? undefined : nowMs + plan.timeoutMs;
  const begun = {
    status: 'running',
    at: 0,
    steps: {},
    effective: [],
    failure: undefined,
    deadlineMs,
  } as const;
  return trace === undefined ? begun : { ...begun, trace };
}

/** When a saga wants a `tick`; undefined: not before something else happens. */
export function dueMs(plan: SagaPlan, state: SagaState): number | undefined {
  if (state.status !== 'running' && state.status !== 'compensating') return undefined;
  const times = Object.values(state.steps).flatMap((step) => (step.dueMs === undefined ? [] : [step.dueMs]));
  if (state.status === 'running' && state.deadlineMs !== undefined && !isAtPivot(plan, state))
    times.push(state.deadlineMs);
  return times.length === 0 ? undefined : Math.min(...times);
}

/** True once there is no way back. */
export function isPastPivot(plan: SagaPlan, state: SagaState): boolean {
  return plan.parts.flat().some(({ name, pivot }) => pivot && state.steps[name]?.phase === 'done');
}

/** True from when the pivot is begun: while it may be done, giving up would undo what has no way back. */
function isAtPivot(plan: SagaPlan, state: SagaState): boolean {
  const phases: readonly (string | undefined)[] = ['acting', 'done'];
  return plan.parts.flat().some(({ name, pivot }) => pivot && phases.includes(state.steps[name]?.phase));
}

/**
 * One input. Pure; an input that says nothing new (a repeated answer, an event nobody waits for) changes nothing.
 *
 * Forward: part after part; the steps of a part side by side. A step that fails for good, before the pivot: what still
 * runs beside it is waited for, then all that has an effect, or may have, is undone, from the last to the first, each
 * until it is confirmed. Behind the pivot there is only forward: what fails for good is parked.
 */
export function stepSaga(
  plan: SagaPlan,
  before: SagaState,
  input: SagaInput,
  nowMs: number,
): { readonly state: SagaState; readonly effects: readonly SagaEffect[] } {
  const run = new SagaRun(plan, before, nowMs);
  run.take(input);
  return { state: run.state, effects: run.effects };
}

/** One step at work: the state as it becomes, and what is to be done. */
class SagaRun {
  state: SagaState;
  readonly effects: SagaEffect[] = [];
  readonly #plan: SagaPlan;
  readonly #nowMs: number;

  constructor(plan: SagaPlan, state: SagaState, nowMs: number) {
    this.#plan = plan;
    this.state = state;
    this.#nowMs = nowMs;
  }

  take(input: SagaInput): void {
    if (this.state.status === 'compensated') return;
    if (this.state.status === 'completed' && input.kind !== 'compensate') return;
    switch (input.kind) {
      case 'start':
        return this.#advance();
      case 'succeeded':
        return this.#succeeded(input.step, input.result);
      case 'skipped':
        return this.#skipped(input.step);
      case 'failed':
        return this.#failed(input);
      case 'undone':
        return this.#undone(input.step);
      case 'undo-failed':
        return this.#undoFailed(input);
      case 'event':
        return this.#event(input.step, input.payload);
      case 'tick':
        return this.#tick();
      case 'resume':
        return this.#resume();
      case 'retry':
        return this.#retry();
      case 'settle':
        return this.#settle(input.step, input.result);
      case 'compensate':
        return this.#compensate({ step: '', ...input.failure });
    }
  }

  #succeeded(name: string, result: unknown): void {
    if (this.#phase(name) !== 'acting') return;
    this.#set(name, { phase: 'done', result });
    this.#addEffective(name);
    this.#advance();
  }

  #skipped(name: string): void {
    if (this.#phase(name) !== 'acting') return;
    this.#set(name, { phase: 'skipped' });
    this.#advance();
  }

  #failed({ step, failure, retryable, mayHaveHappened, delayMs }: SagaInput & { kind: 'failed' }): void {
    if (this.#phase(step) !== 'acting') return;
    const known: SagaFailure = { step, ...failure };
    // On the way back nothing is begun again: what this may have done is undone with the rest.
    const again = retryable && this.#attempts(step) < this.#planOf(step).attempts;
    if (again && this.state.status === 'running') {
      this.#set(step, { phase: 'retrying', failure: known, dueMs: this.#nowMs + delayMs });
      return;
    }
    this.#set(step, { phase: 'failed', failure: known });
    if (mayHaveHappened) this.#addEffective(step);
    this.#giveUp(known);
  }

  /** Forward has failed for good. */
  #giveUp(failure: SagaFailure): void {
    if (this.state.status === 'running') {
      if (isPastPivot(this.#plan, this.state)) this.state = { ...this.state, status: 'parked', failure };
      else this.#turnBack(failure);
    }
    this.#advance();
  }

  #undone(name: string): void {
    if (this.#phase(name) !== 'undoing') return;
    this.#set(name, { phase: 'undone' });
    this.#advance();
  }

  #undoFailed({ step, failure, delayMs }: SagaInput & { kind: 'undo-failed' }): void {
    if (this.#phase(step) !== 'undoing') return;
    const known: SagaFailure = { step, ...failure };
    const { undoAttempts } = this.#planOf(step);
    this.#set(step, { phase: 'undo-retrying', failure: known, dueMs: this.#nowMs + delayMs });
    if ((this.state.steps[step]?.undoAttempts ?? 0) < undoAttempts) return;
    // Not undone, and not said to be: a person has to see to it.
    this.#set(step, { phase: 'undo-retrying', failure: known });
    this.state = { ...this.state, status: 'parked', failure: known };
  }

  #event(name: string, payload: unknown): void {
    if (this.#phase(name) !== 'waiting' || this.state.status !== 'running') return;
    this.#set(name, { phase: 'done', result: payload });
    this.#addEffective(name);
    this.#advance();
  }

  #tick(): void {
    for (const [name, step] of Object.entries(this.state.steps)) {
      if (step.dueMs === undefined || step.dueMs > this.#nowMs) continue;
      if (step.phase === 'waiting' && this.state.status === 'running' && this.#planOf(name).goesOn === true) {
        this.#set(name, { phase: 'done', result: undefined });
        this.#advance();
      } else if (step.phase === 'waiting' && this.state.status === 'running') {
        const failure = failureOf(name, 'WAIT_TIMEOUT', `${name} was not heard of in time`);
        this.#set(name, { phase: 'failed', failure });
        this.#giveUp(failure);
      } else if (step.phase === 'retrying' && this.state.status === 'running') this.#act(name);
      else if (step.phase === 'undo-retrying' && this.state.status === 'compensating') this.#undo(name);
    }
    const { status, deadlineMs } = this.state;
    const late = status === 'running' && deadlineMs !== undefined && deadlineMs <= this.#nowMs;
    if (late && !isAtPivot(this.#plan, this.state))
      this.#compensate(failureOf('', 'SAGA_TIMEOUT', 'the saga has not passed its pivot in time'));
  }

  #resume(): void {
    for (const [name, { phase }] of Object.entries(this.state.steps)) {
      if (phase === 'acting') this.#act(name);
      if (phase === 'undoing') this.#undo(name);
    }
    this.#tick();
    if (this.effects.length === 0) this.#advance();
  }

  #retry(): void {
    if (this.state.status !== 'parked') return;
    const back = this.#isUndoing();
    this.state = { ...this.state, status: back ? 'compensating' : 'running' };
    for (const [name, step] of Object.entries(this.state.steps)) {
      if (back && step.phase === 'undo-retrying') this.#undo(name, 0);
      if (!back && step.phase === 'failed') {
        this.state = { ...this.state, effective: this.state.effective.filter((each) => each !== name) };
        this.#act(name, 0);
      }
    }
    this.#advance();
  }

  #settle(name: string, result: unknown): void {
    if (this.state.status !== 'parked') return;
    const phase = this.#phase(name);
    if (phase === 'undo-retrying') {
      this.#set(name, { phase: 'undone' });
      this.state = { ...this.state, status: 'compensating' };
    } else if (phase === 'failed') {
      this.#set(name, { phase: 'done', result });
      this.#addEffective(name);
      this.state = { ...this.state, status: 'running' };
    } else return;
    this.#advance();
  }

  #compensate(failure: SagaFailure): void {
    if (isPastPivot(this.#plan, this.state) || this.#isUndoing()) return;
    this.#turnBack(failure);
    this.#advance();
  }

  #turnBack(failure: SagaFailure): void {
    this.state = { ...this.state, status: 'compensating', failure };
    for (const [name, { phase }] of Object.entries(this.state.steps)) {
      // Not begun again. What it did before it failed may be there: a retry is of what may have happened.
      if (phase === 'retrying') {
        this.#set(name, { phase: 'failed' });
        this.#addEffective(name);
      }
      if (phase === 'waiting') this.#set(name, { phase: 'skipped' });
    }
  }

  /** Goes on, in the direction of the status, as far as nothing has to be waited for. */
  #advance(): void {
    if (this.state.status === 'running') this.#forward();
    else if (this.state.status === 'compensating') this.#backward();
  }

  #forward(): void {
    for (;;) {
      const part = this.#plan.parts[this.state.at];
      if (part === undefined) {
        this.state = { ...this.state, status: 'completed' };
        return;
      }
      for (const { name } of part) if (this.state.steps[name] === undefined) this.#begin(name);
      const passed = part.every(({ name }) => ['done', 'skipped'].includes(this.#phase(name) ?? ''));
      if (!passed) return;
      this.state = { ...this.state, at: this.state.at + 1 };
    }
  }

  #backward(): void {
    const phases = Object.values(this.state.steps).map(({ phase }) => phase);
    // What still runs may have an effect yet: it is waited for, and undone in its turn.
    if (phases.includes('acting') || phases.includes('undoing') || phases.includes('undo-retrying')) return;
    for (const name of this.state.effective.toReversed()) {
      if (this.#phase(name) === 'undone') continue;
      if (this.#planOf(name).undoable) {
        this.#undo(name);
        return;
      }
      this.#set(name, { phase: 'undone' });
    }
    this.state = { ...this.state, status: 'compensated' };
  }

  #begin(name: string): void {
    const { kind, waitMs } = this.#planOf(name);
    if (kind === 'action') this.#act(name);
    else this.#set(name, { phase: 'waiting', ...(waitMs !== undefined && { dueMs: this.#nowMs + waitMs }) });
  }

  #act(name: string, attemptsBefore: number = this.#attempts(name)): void {
    const attempts = attemptsBefore + 1;
    this.#set(name, { phase: 'acting', attempts });
    this.effects.push({ kind: 'act', step: name, attempt: attempts });
  }

  #undo(name: string, attemptsBefore: number = this.state.steps[name]?.undoAttempts ?? 0): void {
    const undoAttempts = attemptsBefore + 1;
    this.#set(name, { phase: 'undoing', undoAttempts });
    this.effects.push({ kind: 'undo', step: name, attempt: undoAttempts });
  }

  /** `dueMs` is of the phase: it goes with it. */
  #set(name: string, change: Partial<StepState> & Pick<StepState, 'phase'>): void {
    const { dueMs: _due, ...known } = this.state.steps[name] ?? { attempts: 0, undoAttempts: 0 };
    this.state = { ...this.state, steps: { ...this.state.steps, [name]: { ...known, ...change } } };
  }

  #addEffective(name: string): void {
    if (this.state.effective.includes(name)) return;
    this.state = { ...this.state, effective: [...this.state.effective, name] };
  }

  #isUndoing(): boolean {
    return (
      this.state.status === 'compensating' ||
      Object.values(this.state.steps).some(({ phase }) => phase === 'undoing' || phase === 'undo-retrying')
    );
  }

  #phase(name: string): StepState['phase'] | undefined {
    return this.state.steps[name]?.phase;
  }

  #attempts(name: string): number {
    return this.state.steps[name]?.attempts ?? 0;
  }

  #planOf(name: string): StepPlan {
    const found = this.#plan.parts.flat().find((step) => step.name === name);
    if (found === undefined) throw new Error(`the saga's definition has no step ${name}`);
    return found;
  }
}

function failureOf(step: string, reason: string, message: string): SagaFailure {
  return { step, code: 'deadline_exceeded', reason, message };
}
