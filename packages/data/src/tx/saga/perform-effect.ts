import {
  asCurrent,
  Call,
  correlationId,
  type Code,
  type HeddleError,
  idempotencyKey,
  type Runtime,
  openSpan,
  settle,
  type SpanReport,
  traceContext,
} from '@heddle/kernel';
import { backoffMs, timeout } from '@heddle/traffic';
import type { AnySaga, SagaStarter, StepContext, StepOptions } from './step.ts';
import type { SagaEffect, SagaFailure, SagaInput, SagaState } from './saga-state.ts';
import type { SagaRow } from './saga-keeper.ts';

// What would fail again with the same input.
const hopeless: ReadonlySet<Code> = new Set([
  'invalid_argument',
  'not_found',
  'already_exists',
  'failed_precondition',
  'out_of_range',
  'unimplemented',
  'permission_denied',
  'unauthenticated',
  'data_loss',
]);

/** Does what is to be done, once, and says what came of it. Never rejects. */
export async function performEffect(
  { runtime, engine }: { readonly runtime: Runtime; readonly engine: SagaStarter },
  definition: AnySaga,
  row: SagaRow,
  effect: SagaEffect,
): Promise<SagaInput> {
  const options = definition.steps.get(effect.step)?.options;
  if (options === undefined) throw new Error(`step ${effect.step} of ${definition.name} has no functions`);
  const { input, state } = row;
  const results = resultsOf(state);
  if (effect.kind === 'act' && !isWanted(options, input, results))
    return { kind: 'skipped', step: effect.step };
  const deadlineMs = runtime.clock.nowMs() + (options.timeoutMs ?? 10_000);
  const key = `${row.id}/${effect.step}/${effect.kind === 'act' ? 'run' : 'undo'}`;
  const call = Call.root(runtime, deadlineMs).set(correlationId, row.correlationId).set(idempotencyKey, key);
  const context = { id: row.id, input, results, key, attempt: effect.attempt, engine };
  const service = timeout<typeof context, unknown>()((given, own) =>
    // Statements and whatever else takes no call belong to the step, not to the request that began the saga.
    asCurrent(own, () => work(options, effect, state, { ...given, call: own })),
  );
  if (state.trace !== undefined) call.set(traceContext, state.trace);
  const span = openSpan(call, { kind: 'internal' });
  const result = await settle(service, context, call);
  span.end(result.ok ? undefined : result.error, spanReport(definition.name, row.id, effect));
  if (result.ok)
    return effect.kind === 'act'
      ? { kind: 'succeeded', step: effect.step, result: result.value }
      : { kind: 'undone', step: effect.step };
  return failed(runtime, options, effect, result.error);
}

function spanReport(saga: string, id: string, { kind, step, attempt }: SagaEffect): SpanReport {
  const attributes = { 'heddle.saga': id, 'heddle.attempt': attempt };
  return { name: `saga ${saga}/${step}${kind === 'undo' ? ' undo' : ''}`, attributes };
}

function isWanted(
  options: StepOptions<unknown, Record<string, unknown>, unknown>,
  input: unknown,
  results: Record<string, unknown>,
): boolean {
  return options.when?.({ input, results }) ?? true;
}

async function work(
  options: StepOptions<unknown, Record<string, unknown>, unknown>,
  { kind, step }: SagaEffect,
  state: SagaState,
  context: StepContext<unknown, Record<string, unknown>>,
): Promise<unknown> {
  if (kind === 'act') return options.run(context);
  return options.undo?.({ ...context, result: state.steps[step]?.result, failure: state.failure });
}

function failed(
  runtime: Runtime,
  options: StepOptions<unknown, Record<string, unknown>, unknown>,
  { kind, step, attempt }: SagaEffect,
  error: HeddleError,
): SagaInput {
  const { code, reason, message } = error;
  const failure: Omit<SagaFailure, 'step'> = { code, reason, message };
  const backoff = options.backoff ?? { baseMs: 100, maxMs: 30_000 };
  const { delaysMs } = options;
  const planned = delaysMs?.[Math.min(attempt, delaysMs.length) - 1];
  const delayMs = planned ?? Math.ceil(backoffMs(Math.min(attempt, 20), runtime.random, backoff));
  if (kind === 'undo') return { kind: 'undo-failed', step, failure, delayMs };
  // An attempt before this one may have done it, whatever this one says.
  const mayHaveHappened = error.sent || attempt > 1;
  return { kind: 'failed', step, failure, retryable: !hopeless.has(code), mayHaveHappened, delayMs };
}

function resultsOf(state: SagaState): Record<string, unknown> {
  const done = Object.entries(state.steps).filter(([, { phase }]) => phase === 'done' || phase === 'undone');
  return Object.fromEntries(done.map(([name, { result }]) => [name, result]));
}
