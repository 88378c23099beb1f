import { HeddleError, type Runtime, sleep } from '@heddle/kernel';
import { backoffMs } from '@heddle/traffic';
import type { AnySaga, SagaStarter } from './step.ts';
import type { SagaMeasures } from './metrics.ts';
import { performEffect } from './perform-effect.ts';
import type { SagaEffect, SagaInput } from './saga-state.ts';
import type { SagaChange, SagaMessage, SagaRow } from './saga-keeper.ts';
import { dueMs, stepSaga } from './step-saga.ts';

/** What a live saga needs of the engine. */
export interface SagaHost {
  readonly runtime: Runtime;
  readonly engine: SagaStarter;
  /** Stores a change: true if the saga is still this process's. */
  save(change: SagaChange): Promise<boolean>;
  /** What was said to it and not taken in yet. */
  said(id: string): Promise<readonly SagaMessage[]>;
  /** It is not at work here any more: it waits, has ended, or is another's. */
  onRest(saga: LiveSaga): void;
  readonly measures?: SagaMeasures;
}

const outcomes: Readonly<Record<string, 'done' | 'failed' | 'skipped' | undefined>> = {
  succeeded: 'done',
  undone: 'done',
  skipped: 'skipped',
  failed: 'failed',
  'undo-failed': 'failed',
};

/**
 * A saga that this process is at work on. Inputs are taken one at a time; each is stored before what follows from it is
 * done. It rests when nothing runs: then only time or a message wakes it, anywhere.
 */
export class LiveSaga {
  readonly #host: SagaHost;
  readonly #definition: AnySaga;
  readonly #inputs: { readonly input: SagaInput; readonly number?: number }[] = [];
  #row: SagaRow;
  #running = 0;
  #working: Promise<void> | undefined;
  #lost = false;
  #stopping = false;
  /** As stored: this process has it. */
  #kept = true;
  /** It was taken over: perhaps because somebody has said something to it, even if it has completed. */
  #resumed = false;

  constructor(host: SagaHost, definition: AnySaga, row: SagaRow) {
    this.#host = host;
    this.#definition = definition;
    this.#row = row;
  }

  get row(): SagaRow {
    return this.#row;
  }

  /** True once it is somebody else's, as far as is known: then `row` may not be what is stored. */
  get isLost(): boolean {
    return this.#lost;
  }

  /** Carries out what was stored with the saga's beginning. */
  begin(effects: readonly SagaEffect[]): void {
    for (const effect of effects) this.#perform(effect);
  }

  /** Goes on with what another process left. */
  resume(): void {
    this.#resumed = true;
    this.#take({ input: { kind: 'resume' } });
  }

  /** Something was said to it, or it is due: it looks. */
  poke(): void {
    if (this.#working === undefined) this.#take({ input: { kind: 'tick' } });
  }

  /** Somebody else has it now. What it has begun goes on, and nobody hears of it. */
  lose(): void {
    this.#lost = true;
    this.#arrived?.();
  }

  /** Begins nothing more. Resolves when what runs has ended and is stored. */
  async stop(): Promise<void> {
    this.#stopping = true;
    while (this.#working !== undefined) await this.#working;
  }

  #take(next: { readonly input: SagaInput; readonly number?: number }): void {
    this.#inputs.push(next);
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    // Until it rests: a promise that ends when nothing of it runs here.
    while (!this.#lost) {
      const next = this.#inputs.shift();
      if (next !== undefined) await this.#step([next]);
      else if (this.#running > 0) await this.#arrival();
      else if (!(await this.#listen())) break;
    }
    if (this.#kept) await this.#release();
    this.#host.onRest(this);
  }

  #arrived: (() => void) | undefined;

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      this.#arrived = resolve;
    });
  }

  /** Takes in what was said meanwhile. False: nothing was, and it may rest. */
  async #listen(): Promise<boolean> {
    const { status } = this.#row.state;
    // What was said to one that has just completed here is found by whoever takes it over for that.
    if (status === 'compensated' || (status === 'completed' && !this.#resumed)) return false;
    const messages = await this.#stored(() => this.#host.said(this.#row.id));
    if (messages === undefined || messages.length === 0) return false;
    const before = this.#row.state;
    await this.#step(messages);
    return this.#row.state !== before;
  }

  async #step(inputs: readonly { readonly input: SagaInput; readonly number?: number }[]): Promise<void> {
    const { clock } = this.#host.runtime;
    let state = this.#row.state;
    const effects: SagaEffect[] = [];
    const taken: number[] = [];
    for (const { input, number } of inputs) {
      const next = stepSaga(this.#definition.plan, state, input, clock.wallMs());
      // What comes before it is waited for stays, until it is.
      const early = number !== undefined && input.kind === 'event' && next.state === state;
      if (number !== undefined && !early) taken.push(number);
      state = next.state;
      effects.push(...next.effects);
    }
    if (state === this.#row.state && taken.length === 0) return;
    this.#row = { ...this.#row, state };
    const kept = this.#running + effects.length > 0;
    const change = { row: this.#row, dueMs: dueMs(this.#definition.plan, state), kept, taken };
    const saved = await this.#stored(() => this.#host.save(change));
    if (saved !== true) {
      this.#lost = true;
      return;
    }
    this.#kept = kept;
    if (this.#lost) return;
    for (const effect of effects) this.#perform(effect);
  }

  /** Nothing has come of taking it over. Nobody else would find it while this process lives. */
  async #release(): Promise<void> {
    if (this.#lost || this.#stopping) return;
    const due = dueMs(this.#definition.plan, this.#row.state);
    await this.#stored(() => this.#host.save({ row: this.#row, dueMs: due, kept: false, taken: [] }));
  }

  #perform(effect: SagaEffect): void {
    if (this.#stopping) return;
    this.#running += 1;
    void performEffect(this.#host, this.#definition, this.#row, effect).then((input) => {
      this.#running -= 1;
      const outcome = outcomes[input.kind];
      const kind = effect.kind === 'act' ? 'run' : 'undo';
      if (outcome !== undefined) this.#host.measures?.tried(this.#row.name, effect.step, kind, outcome);
      this.#take({ input });
      this.#arrived?.();
    });
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  /** Until the database answers: what is in hand must not be forgotten because that is away for a while. */
  async #stored<T>(work: () => Promise<T>): Promise<T | undefined> {
    const { runtime } = this.#host;
    for (let failures = 1; !this.#stopping || failures < 3; failures += 1) {
      try {
        return await work();
      } catch (thrown) {
        const { reason, message } = HeddleError.from(thrown);
        runtime.log('warn', 'a saga cannot be stored yet', { saga: this.#row.id, reason, error: message });
        await sleep(runtime.timers, backoffMs(failures, runtime.random, { baseMs: 50, maxMs: 3000 }));
      }
    }
    return undefined;
  }
}
