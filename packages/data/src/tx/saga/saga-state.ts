import type { TraceContext } from '@heddle/kernel';

/**
 * How far a saga is. Plain data: it is stored after every input, before any effect of it is carried out, so that whoever
 * reads it after a crash knows all that may have happened.
 */
export interface SagaState {
  readonly status: SagaStatus;
  /** Which part of the plan is at work; its length when all are done. */
  readonly at: number;
  readonly steps: Readonly<Record<string, StepState>>;
  /** Steps that have an effect, or may have, in the order in which they ended: compensated from the end. */
  readonly effective: readonly string[];
  /** Why it compensates, or why it is parked. */
  readonly failure: SagaFailure | undefined;
  /** When the whole saga gives up if it has not passed its pivot; undefined: never. */
  readonly deadlineMs: number | undefined;
  /** Of the call that began it: its steps are spans of that trace, wherever and whenever they are done. */
  readonly trace?: TraceContext;
}

/**
 * `running` forward, `compensating` backward; `parked`: somebody has to decide (`retry`, `skip`, `compensate`).
 * `completed` and `compensated` are true: everything was done, or everything was confirmed as undone. Both are final,
 * except that what has completed without a pivot can be asked to compensate.
 */
export type SagaStatus = 'running' | 'compensating' | 'parked' | 'completed' | 'compensated';

/** What went wrong, and where. */
export interface SagaFailure {
  readonly step: string;
  readonly code: string;
  readonly reason: string;
  readonly message: string;
}

/** How far one step is. */
export interface StepState {
  readonly phase: StepPhase;
  /** Times that its action was begun. */
  readonly attempts: number;
  /** Times that its compensation was begun. */
  readonly undoAttempts: number;
  /** What it resulted in. */
  readonly result?: unknown;
  /** Its last failure, of the action or of the compensation. */
  readonly failure?: SagaFailure;
  /** When it is tried again, or stops waiting for its event. */
  readonly dueMs?: number;
}

/**
 * `acting` and `undoing`: begun, and perhaps done, as far as anybody knows. `retrying` and `undo-retrying`: failed, to be
 * begun again when due. `waiting`: for an event.
 */
export type StepPhase =
  | 'acting'
  | 'retrying'
  | 'waiting'
  | 'done'
  | 'skipped'
  | 'failed'
  | 'undoing'
  | 'undo-retrying'
  | 'undone';

/** What the core needs to know of a definition. */
export interface SagaPlan {
  /** One after another; the steps of one part run side by side. */
  readonly parts: readonly (readonly StepPlan[])[];
  /** How long a saga may take until its pivot. Undefined: for ever. */
  readonly timeoutMs?: number | undefined;
}

/** What the core needs to know of a step. */
export interface StepPlan {
  readonly name: string;
  /** `action`: something is done; `event`: something is waited for. */
  readonly kind: 'action' | 'event';
  /** Once it is done there is no way back: what follows is tried until it works. */
  readonly pivot: boolean;
  /** Whether it has a compensation. */
  readonly undoable: boolean;
  /** Attempts at the action, in all. */
  readonly attempts: number;
  /** Attempts at the compensation, in all; then a person has to see to it. */
  readonly undoAttempts: number;
  /** For events: how long they are waited for. Undefined: for ever. */
  readonly waitMs?: number | undefined;
  /** For events: that none came in time is no failure; the step has no result then. */
  readonly goesOn?: boolean;
}

/** What happens to a saga. */
export type SagaInput =
  | { readonly kind: 'start' }
  | { readonly kind: 'succeeded'; readonly step: string; readonly result: unknown }
  /** Its condition does not hold. */
  | { readonly kind: 'skipped'; readonly step: string }
  | {
      readonly kind: 'failed';
      readonly step: string;
      readonly failure: Omit<SagaFailure, 'step'>;
      /** False for what would fail again. */
      readonly retryable: boolean;
      /** Whether its effect may be there all the same. */
      readonly mayHaveHappened: boolean;
      /** How long to wait before the next attempt. */
      readonly delayMs: number;
    }
  | { readonly kind: 'undone'; readonly step: string }
  | {
      readonly kind: 'undo-failed';
      readonly step: string;
      readonly failure: Omit<SagaFailure, 'step'>;
      readonly delayMs: number;
    }
  /** What a step waits for has come. */
  | { readonly kind: 'event'; readonly step: string; readonly payload: unknown }
  /** Time has passed. */
  | { readonly kind: 'tick' }
  /** Another process has taken over: what was begun is begun again. */
  | { readonly kind: 'resume' }
  /** By hand: try again what it was parked at. */
  | { readonly kind: 'retry' }
  /** By hand: take a step as done, or as undone, as a person has seen to it. */
  | { readonly kind: 'settle'; readonly step: string; readonly result?: unknown }
  /** By hand: undo everything. Refused behind the pivot. */
  | { readonly kind: 'compensate'; readonly failure: Omit<SagaFailure, 'step'> };

/** What is to be done now that the state is stored. */
export type SagaEffect =
  | { readonly kind: 'act'; readonly step: string; readonly attempt: number }
  | { readonly kind: 'undo'; readonly step: string; readonly attempt: number };
