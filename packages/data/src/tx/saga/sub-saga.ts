import { type Call, HeddleError, sleep } from '@heddle/kernel';
import type { SagaDefinition, SagaEnd, SagaStarter, StepContext, StepOptions } from './step.ts';

/** How a saga is a step of another. */
export interface SubSagaOptions<Input, Results, Child> {
  /** What it is given. Asked at every attempt with the same, so it must be pure. */
  readonly input: (context: { readonly input: Input; readonly results: Results }) => Child;
  /** Once it is done there is no way back. Default false. */
  readonly pivot?: boolean;
  /** As for any step. */
  readonly when?: StepOptions<Input, Results, unknown>['when'];
}

// It has limits of its own; here it is only waited for, in pieces.
const foreverAttempts = 1_000_000;
const pieceMs = 30_000;

/** A step that begins a saga, under an id made from its own, and waits for its end. */
export function subSaga<Input, Results, Child, ChildResults>(
  definition: SagaDefinition<Child, ChildResults>,
  { input: inputOf, pivot = false, when }: SubSagaOptions<Input, Results, Child>,
): StepOptions<Input, Results, ChildResults> {
  const ended = async (context: StepContext<Input, Results>, id: string): Promise<SagaEnd> => {
    const { engine, call } = context;
    await engine.begin(definition, inputOf(context), { id, call });
    return engine.outcome(id, call);
  };
  return {
    pivot,
    ...(when !== undefined && { when }),
    attempts: foreverAttempts,
    undoAttempts: foreverAttempts,
    timeoutMs: pieceMs,
    run: async (context) => {
      const end = await ended(context, childOf(context));
      if (end.status === 'completed') return resultsOf<ChildResults>(end);
      if (end.status === 'parked') throw parked(end);
      const { code = 'aborted', reason = 'COMPENSATED', message = '' } = end.state.failure ?? {};
      // Nothing is left of it, whatever made it fail.
      throw new HeddleError({
        code: 'failed_precondition',
        reason,
        message: `saga ${end.id} has compensated: ${code} ${message}`,
        sent: false,
      });
    },
    undo: async (context) => {
      const id = childOf(context);
      // One that was not begun yet is begun here, and ends at once: a beginning that comes late finds it.
      const end = await ended(context, id);
      if (end.status === 'compensated') return;
      if (end.status === 'parked') throw parked(end);
      await context.engine.compensate(id, `saga ${context.id}`, context.failure?.reason ?? 'it compensates');
      await untilUndone(context.engine, id, context.call);
    },
  };
}

async function untilUndone(engine: SagaStarter, id: string, call: Call): Promise<void> {
  for (;;) {
    const end = await engine.outcome(id, call);
    if (end.status === 'compensated') return;
    if (end.status === 'parked') throw parked(end);
    await sleep(call.runtime.timers, 50, call);
  }
}

function childOf({ key }: { readonly key: string }): string {
  return key.slice(0, key.lastIndexOf('/'));
}

function resultsOf<Results>({ state }: SagaEnd): Results {
  const results = Object.entries(state.steps).map(([name, { result }]) => [name, result]);
  return Object.fromEntries(results) as Results;
}

function parked({ id, state }: SagaEnd): HeddleError {
  const message = `saga ${id} is parked at ${state.failure?.step ?? '?'}: a person has to see to it`;
  return new HeddleError({ code: 'unavailable', reason: 'SUB_SAGA_PARKED', message });
}
