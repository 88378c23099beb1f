import { HeddleError } from '@heddle/kernel';
import { saga } from '../saga/definition.ts';
import type { SagaDefinition, StepOptions } from '../saga/step.ts';
import type { TccRequest, TccService } from './tcc-service.ts';

/** How a transaction of reservations behaves. */
export interface TccOptions {
  /** Grows when branches change, as for sagas. Default 1. */
  readonly version?: number;
  /** How long things may stay reserved before all must have been: then everything is cancelled. Default 60000. */
  readonly reserveMs?: number;
}

/** One branch. */
export interface TccBranch<Input, Payload> {
  /** A client of the branch; `tccService` is the other end. */
  readonly service: TccService;
  /** What the branch is given, the same for all three instructions. Default: the whole input. */
  readonly payload?: (input: Input) => Payload;
  /** Attempts at `try`. Default 3. Confirm and cancel are repeated until a person is asked. */
  readonly attempts?: number;
  /** How long one attempt may take. Default 10000. */
  readonly timeoutMs?: number;
  readonly backoff?: StepOptions<Input, object, unknown>['backoff'];
}

type Tried<Input> = Readonly<Record<string, TccBranch<Input, unknown>>>;

const foreverAttempts = 1000;

/** Builds a definition, branch by branch; all of them are tried side by side. */
export class TccBuilder<Input> {
  readonly #name: string;
  readonly #options: TccOptions;
  readonly #branches: Tried<Input>;

  constructor(name: string, options: TccOptions, branches: Tried<Input>) {
    this.#name = name;
    this.#options = options;
    this.#branches = branches;
  }

  /** One more. */
  branch<Payload>(name: string, branch: TccBranch<Input, Payload>): TccBuilder<Input> {
    if (this.#branches[name] !== undefined) {
      const message = `tcc ${this.#name} has two branches named ${name}`;
      throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_TCC', message, sent: false });
    }
    return new TccBuilder<Input>(this.#name, this.#options, { ...this.#branches, [name]: branch });
  }

  /**
   * The finished definition, for a `SagaEngine`: it is stored, taken over, listed and looked after as any saga. When all
   * have been tried, `confirm` is decided and there is no way back; until then anything that fails cancels everything.
   */
  build(): SagaDefinition<Input, object> {
    const { version = 1, reserveMs = 60_000 } = this.#options;
    const entries = Object.entries(this.#branches);
    const tries = entries.map(([name, branch]) => [`try-${name}`, tryOf(name, branch)] as const);
    const confirms = entries.map(([name, branch]) => [`confirm-${name}`, confirmOf(name, branch)] as const);
    return saga<Input>(this.#name, { version, timeoutMs: reserveMs })
      .parallel(Object.fromEntries(tries))
      .step('decide', { run: async () => 'confirm', pivot: true })
      .parallel(Object.fromEntries(confirms))
      .build();
  }
}

/**
 * Begins a definition: `tcc<Order>('checkout').branch('stock', { service }).branch('payment', { service }).build()`.
 */
export function tcc<Input>(name: string, options: TccOptions = {}): TccBuilder<Input> {
  return new TccBuilder<Input>(name, options, {});
}

function tryOf<Input>(name: string, branch: TccBranch<Input, unknown>): StepOptions<Input, object, null> {
  return {
    ...shared(branch),
    attempts: branch.attempts ?? 3,
    undoAttempts: foreverAttempts,
    run: async ({ id, input, call }) => {
      try {
        await branch.service(requestOf('try', id, name, branch, input), call);
        return null;
      } catch (thrown) {
        // Every branch that was to be tried is cancelled, whatever is known of it: the barrier makes that harmless.
        throw HeddleError.from(thrown).with({ sent: true });
      }
    },
    undo: async ({ id, input, call }) => {
      await branch.service(requestOf('cancel', id, name, branch, input), call);
    },
  };
}

function confirmOf<Input>(name: string, branch: TccBranch<Input, unknown>): StepOptions<Input, object, null> {
  return {
    ...shared(branch),
    attempts: foreverAttempts,
    run: async ({ id, input, call }) => {
      await branch.service(requestOf('confirm', id, name, branch, input), call);
      return null;
    },
  };
}

function shared<Input>({
  timeoutMs,
  backoff,
}: TccBranch<Input, unknown>): Pick<StepOptions<Input, object, null>, 'timeoutMs' | 'backoff'> {
  return { ...(timeoutMs !== undefined && { timeoutMs }), ...(backoff !== undefined && { backoff }) };
}

function requestOf<Input>(
  op: TccRequest['op'],
  tx: string,
  branch: string,
  { payload }: TccBranch<Input, unknown>,
  input: Input,
): TccRequest {
  return { op, tx, branch, payload: payload === undefined ? input : payload(input) };
}
