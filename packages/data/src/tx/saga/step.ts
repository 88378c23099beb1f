import type { Call } from '@heddle/kernel';
import type { Backoff } from '@heddle/traffic';
import type { SagaFailure, SagaPlan, SagaStatus, StepPlan } from './saga-state.ts';

/** What a step's functions are given. */
export interface StepContext<Input, Results> {
  /** Of the saga. */
  readonly id: string;
  readonly input: Input;
  /** What the steps before have resulted in, by name; a step that was skipped has none. */
  readonly results: Results;
  /** The same at every attempt, and different for the compensation: what the receiver knows a repetition by. */
  readonly key: string;
  readonly attempt: number;
  /** Has the deadline of this attempt, the key as idempotency key, and the saga's correlation id. */
  readonly call: Call;
  /** The engine that runs the step: for beginning other sagas, with ids made from `key`. */
  readonly engine: SagaStarter;
}

/** What a compensation is given. */
export interface UndoContext<Input, Results, Result> extends StepContext<Input, Results> {
  /** What `run` resulted in; undefined if that is not known. */
  readonly result: Result | undefined;
  /** Why the saga compensates. */
  readonly failure: SagaFailure | undefined;
}

/** What a step may do with the engine that runs it. */
export interface SagaStarter {
  /** As `SagaEngine.begin`. */
  begin<Input>(
    definition: SagaDefinition<Input, unknown>,
    input: Input,
    options?: { readonly id?: string; readonly call?: Call },
  ): Promise<string>;
  /** As `SagaEngine.compensate`. */
  compensate(id: string, by: string, why: string): Promise<void>;
  /** As `SagaEngine.outcome`. */
  outcome(id: string, call: Call): Promise<SagaEnd>;
}

/** How a saga has ended, or is parked. */
export interface SagaEnd {
  readonly id: string;
  readonly status: SagaStatus;
  readonly state: {
    readonly steps: Readonly<Record<string, { readonly result?: unknown }>>;
    readonly failure: SagaFailure | undefined;
  };
}

/** A step that does something. */
export interface StepOptions<Input, Results, Result> {
  /** Does it. May run again with the same key: after a failure, and after a crash that came before its result was stored. */
  run(context: StepContext<Input, Results>): Promise<Result>;
  /**
   * Undoes it, until it resolves. Also called when it is not known whether `run` had an effect (`result` is undefined
   * then), so it must bear that there is nothing to undo. Without it there is nothing to undo.
   */
  readonly undo?: (context: UndoContext<Input, Results, Result>) => Promise<void>;
  /** Whether it is to be done at all. Default: yes. Asked before each attempt with the same, so it must be pure. */
  readonly when?: (context: Pick<StepContext<Input, Results>, 'input' | 'results'>) => boolean;
  /** Once it is done there is no way back. Default false. */
  readonly pivot?: boolean;
  /** Attempts in all. Default 5; behind the pivot 100. Errors that would come again (`invalid_argument` …) end them. */
  readonly attempts?: number;
  /** Attempts at `undo` before it is parked for a person. Default 20. */
  readonly undoAttempts?: number;
  /** Default: full jitter up to 100 ms, doubling, at most 30 s. */
  readonly backoff?: Backoff;
  /** How long to wait after each failed attempt, instead of `backoff`; the last holds for all that follow. */
  readonly delaysMs?: readonly number[];
  /** How long one attempt may take. Default 10000. */
  readonly timeoutMs?: number;
}

/** Waiting for a person or for the outside. */
export interface WaitOptions {
  /** Then the saga compensates. Default: it waits for ever. */
  readonly timeoutMs?: number;
  /** Then it goes on instead, and the step has no result. Default false. */
  readonly goesOn?: boolean;
}

/** A step with its types left off, as the runner has it. */
export interface DefinedStep {
  readonly plan: StepPlan;
  readonly options: StepOptions<unknown, Record<string, unknown>, unknown> | undefined;
}

/** What a saga is: its plan, and the functions of its steps. Made by `saga`. */
export interface SagaDefinition<Input = unknown, Results = unknown> {
  readonly name: string;
  readonly version: number;
  readonly plan: SagaPlan;
  readonly steps: ReadonlyMap<string, DefinedStep>;
  /** Only for the compiler. */
  readonly types?: { readonly input: Input; readonly results: Results };
}

/** Any saga: whatever its input and results are. */
export type AnySaga = Omit<SagaDefinition, 'types'>;
