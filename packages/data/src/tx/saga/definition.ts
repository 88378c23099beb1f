import { HeddleError } from '@heddle/kernel';
import type { SagaPlan, StepPlan } from './saga-state.ts';
import type { DefinedStep, SagaDefinition, StepOptions, WaitOptions } from './step.ts';
import { subSaga, type SubSagaOptions } from './sub-saga.ts';

/** How a saga as a whole behaves. */
export interface SagaOptions {
  /** Grows when steps change: a running saga keeps the definition that it began with. Default 1. */
  readonly version?: number;
  /** How long it may take until its pivot; then it compensates. Default: for ever. */
  readonly timeoutMs?: number;
}

/** Builds a definition, step by step: each sees the results of those before, typed. */
export class SagaBuilder<Input, Results> {
  readonly #name: string;
  readonly #options: SagaOptions;
  readonly #parts: readonly (readonly DefinedStep[])[];

  constructor(name: string, options: SagaOptions, parts: readonly (readonly DefinedStep[])[]) {
    this.#name = name;
    this.#options = options;
    this.#parts = parts;
  }

  /** Then this. */
  step<Name extends string, R>(
    name: Name,
    options: StepOptions<Input, Results, R>,
  ): SagaBuilder<Input, Results & { readonly [N in Name]: R }> {
    return this.#with([this.#defined(name, options)]);
  }

  /**
   * Then another saga, to its end: the step's result is the results of its steps. If it has compensated, the step has
   * failed and nothing is left of it; undoing the step compensates it. One with a pivot cannot be undone: its step should
   * be the pivot here, too. The engine must know its definition.
   */
  saga<Name extends string, Child, ChildResults>(
    name: Name,
    definition: SagaDefinition<Child, ChildResults>,
    options: SubSagaOptions<Input, Results, Child>,
  ): SagaBuilder<Input, Results & { readonly [N in Name]: ChildResults }> {
    return this.#with([this.#defined(name, subSaga(definition, options))]);
  }

  /** Then these, side by side; when one fails for good, the others are waited for before all is undone. */
  parallel<Side extends Record<string, unknown>>(
    steps: {
      readonly [Name in keyof Side]: StepOptions<Input, Results, Side[Name]>;
    },
  ): SagaBuilder<Input, Results & { readonly [Name in keyof Side]: Side[Name] }> {
    return this.#with(Object.entries(steps).map(([name, options]) => this.#defined(name, options)));
  }

  /** Then wait until `SagaEngine.tell` brings this: a person's decision, an event of another system. */
  wait<Payload, Name extends string = string>(
    name: Name,
    options: WaitOptions = {},
  ): SagaBuilder<Input, Results & { readonly [N in Name]: Payload }> {
    const plan: StepPlan = {
      name,
      kind: 'event',
      pivot: false,
      undoable: false,
      attempts: 1,
      undoAttempts: 1,
      waitMs: options.timeoutMs,
      goesOn: options.goesOn ?? false,
    };
    return this.#with([{ plan, options: undefined }]);
  }

  /** The finished definition. Throws `invalid_argument` / `BAD_SAGA` with all problems at once. */
  build(): SagaDefinition<Input, Results> {
    const { version = 1, timeoutMs } = this.#options;
    const steps = this.#parts.flat();
    checkSaga(this.#name, version, steps);
    const plan: SagaPlan = { parts: this.#parts.map((part) => part.map((step) => step.plan)), timeoutMs };
    return { name: this.#name, version, plan, steps: new Map(steps.map((step) => [step.plan.name, step])) };
  }

  #defined<R>(name: string, options: StepOptions<Input, Results, R>): DefinedStep {
    const behindPivot = this.#parts.flat().some(({ plan }) => plan.pivot);
    const plan: StepPlan = {
      name,
      kind: 'action',
      pivot: options.pivot ?? false,
      undoable: options.undo !== undefined,
      attempts: options.attempts ?? (behindPivot ? 100 : 5),
      undoAttempts: options.undoAttempts ?? 20,
    };
    return { plan, options: options as unknown as DefinedStep['options'] };
  }

  #with<More>(part: readonly DefinedStep[]): SagaBuilder<Input, Results & More> {
    return new SagaBuilder<Input, Results & More>(this.#name, this.#options, [...this.#parts, part]);
  }
}

/**
 * Begins the definition of a saga: `saga<Order>('checkout').step('reserve', { run, undo }).step('pay', …).build()`.
 * Source: H. Garcia-Molina, K. Salem, "Sagas", SIGMOD 1987.
 */
export function saga<Input>(name: string, options: SagaOptions = {}): SagaBuilder<Input, object> {
  return new SagaBuilder<Input, object>(name, options, []);
}

const nameRule = /^[a-z][a-z0-9-]{0,59}$/;

function checkSaga(name: string, version: number, steps: readonly DefinedStep[]): void {
  const problems: string[] = [];
  const rule = '1 to 60 lower-case letters, digits and "-", beginning with a letter';
  if (!nameRule.test(name)) problems.push(`name: expected ${rule}, found ${JSON.stringify(name)}`);
  if (!Number.isSafeInteger(version) || version < 1)
    problems.push(`version: expected a whole number from 1, found ${version}`);
  if (steps.length === 0) problems.push('steps: expected at least one');
  const seen = new Set<string>();
  for (const { plan } of steps) {
    if (!/^[a-zA-Z][a-zA-Z0-9-]{0,59}$/.test(plan.name))
      problems.push(
        `step ${JSON.stringify(plan.name)}: expected letters, digits and "-", beginning with a letter`,
      );
    if (seen.has(plan.name)) problems.push(`step ${plan.name}: there are two of this name`);
    seen.add(plan.name);
    for (const field of ['attempts', 'undoAttempts'] as const)
      if (!Number.isSafeInteger(plan[field]) || plan[field] < 1)
        problems.push(`step ${plan.name}: ${field}: expected a whole number from 1, found ${plan[field]}`);
  }
  if (steps.filter(({ plan }) => plan.pivot).length > 1) problems.push('steps: expected one pivot at most');
  if (problems.length === 0) return;
  const message = `saga ${name} cannot be run: ${problems.join('; ')}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_SAGA', message, sent: false });
}
