import { type Call, HeddleError, type Runtime, sleep } from '@heddle/kernel';
import { backoffMs } from '@heddle/traffic';
import type { DecidedTx } from './decision-log.ts';
import type { Branch, Decision, Participant } from './participant.ts';
import { decidedTx, newTx, stepTx } from './step-tx.ts';
import type { TxEffect, TxFailure, TxInput, TxState } from './tx-state.ts';

/** What a live transaction needs of the coordinator. */
export interface TxHost {
  readonly runtime: Runtime;
  /** True: stored; false: never will be. Rejects when that is not known. */
  decide(decision: DecidedTx): Promise<boolean>;
  participant(name: string): Participant | undefined;
  /** All have confirmed. */
  onEnd(tx: LiveTx): void;
}

/** Which branches have not confirmed, and why. */
export interface OpenBranch {
  readonly branch: string;
  readonly participant: string;
  readonly error: HeddleError | undefined;
}

/** A transaction that this process is at work on: it is told until everybody has confirmed it. */
export class LiveTx {
  readonly id: string;
  readonly #host: TxHost;
  readonly #participants = new Map<string, Participant | string>();
  readonly #errors = new Map<string, HeddleError>();
  readonly #attempts = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  #state: TxState = newTx;
  #cause: HeddleError | undefined;
  #logFailures = 0;
  #stopped = false;

  constructor(host: TxHost, id: string) {
    this.#host = host;
    this.id = id;
  }

  /** Goes on with a decision that another process has stored. */
  static adopted(host: TxHost, { tx, branches }: DecidedTx): LiveTx {
    const live = new LiveTx(host, tx);
    for (const [branch, name] of Object.entries(branches))
      live.#participants.set(branch, host.participant(name) ?? name);
    live.#state = decidedTx(Object.keys(branches));
    return live;
  }

  get state(): TxState {
    return this.#state;
  }

  /** What made it abort, as it was thrown. */
  get cause(): HeddleError | undefined {
    return this.#cause;
  }

  get open(): readonly OpenBranch[] {
    return Object.entries(this.#state.branches)
      .filter(([, phase]) => phase !== 'done' && phase !== 'none')
      .map(([branch]) => ({ branch, participant: this.#nameOf(branch), error: this.#errors.get(branch) }));
  }

  /** Has a branch do its work and vote. Rejects with its no. */
  async join<Result>(branch: Branch<Result>, call: Call): Promise<Result> {
    const name = this.#enter(branch.participant);
    const vote = await branch.prepare({ tx: this.id, branch: name }, call);
    if (vote.yes) {
      this.#take({ kind: 'voted-yes', branch: name });
      return vote.value;
    }
    this.#cause ??= vote.error;
    const failure = failureOf(name, vote.error);
    this.#take({ kind: 'voted-no', branch: name, gone: vote.gone, failure });
    throw vote.error;
  }

  /** No more branches. With an error: abort. */
  end(error?: HeddleError): void {
    if (error !== undefined) this.#cause ??= error;
    this.#take({ kind: 'end', ...(error !== undefined && { failure: failureOf('', error) }) });
  }

  /** Tells a decision that was adopted. */
  resume(): void {
    for (const branch of Object.keys(this.#state.branches)) this.#take({ kind: 'not-told', branch });
    if (this.#state.status === 'committed') this.#host.onEnd(this);
  }

  /** Tells nobody anything more. */
  stop(): void {
    this.#stopped = true;
  }

  /** Calls back after every change. Returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #enter(participant: Participant): string {
    let name = participant.name;
    for (let number = 2; this.#participants.has(name); number += 1) name = `${participant.name}.${number}`;
    this.#participants.set(name, participant);
    this.#take({ kind: 'join', branch: name });
    return name;
  }

  #take(input: TxInput): void {
    const before = this.#state.status;
    const { state, effects } = stepTx(this.#state, input);
    this.#state = state;
    for (const effect of effects) void this.#perform(effect);
    for (const listener of this.#listeners) listener();
    const over = state.status === 'committed' || state.status === 'aborted';
    if (over && before !== state.status) this.#host.onEnd(this);
  }

  async #perform(effect: TxEffect): Promise<void> {
    const input =
      effect.kind === 'log' ? await this.#log() : await this.#tell(effect.branch, effect.decision);
    if (!this.#stopped) this.#take(input);
  }

  async #log(): Promise<TxInput> {
    await this.#pause(this.#logFailures);
    const branches = [...this.#participants.keys()].map((branch) => [branch, this.#nameOf(branch)] as const);
    try {
      const stored = await this.#host.decide({ tx: this.id, branches: Object.fromEntries(branches) });
      return { kind: 'logged', stored };
    } catch (thrown) {
      this.#logFailures += 1;
      this.#warn('a decision is not known to be stored', '', HeddleError.from(thrown), this.#logFailures);
      return { kind: 'log-unknown' };
    }
  }

  async #tell(branch: string, decision: Decision): Promise<TxInput> {
    const failures = this.#attempts.get(branch) ?? 0;
    await this.#pause(failures);
    if (this.#stopped) return { kind: 'not-told', branch };
    try {
      await this.#participantOf(branch).settle({ tx: this.id, branch }, decision);
      return { kind: 'confirmed', branch };
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      this.#attempts.set(branch, failures + 1);
      this.#errors.set(branch, error);
      this.#warn(`a branch could not be told to ${decision}`, branch, error, failures + 1);
      return { kind: 'not-told', branch };
    }
  }

  async #pause(failures: number): Promise<void> {
    if (failures === 0) return;
    const { timers, random } = this.#host.runtime;
    await sleep(timers, backoffMs(Math.min(failures, 20), random, { baseMs: 50, maxMs: 5000 }));
  }

  /** A participant that nobody knows is never passed over: its branch stays open, and so does the transaction. */
  #participantOf(branch: string): Participant {
    const known = this.#participants.get(branch);
    if (known !== undefined && typeof known !== 'string') return known;
    const now = known === undefined ? undefined : this.#host.participant(known);
    if (now !== undefined) return now;
    const message = `transaction ${this.id} has a branch in ${known ?? branch}, which this process does not know; give it to the coordinator's participants`;
    throw new HeddleError({
      code: 'failed_precondition',
      reason: 'UNKNOWN_PARTICIPANT',
      message,
      sent: false,
    });
  }

  #nameOf(branch: string): string {
    const known = this.#participants.get(branch);
    return typeof known === 'string' ? known : (known?.name ?? branch);
  }

  #warn(what: string, branch: string, { reason, message }: HeddleError, failures: number): void {
    // The first, then ever more seldom.
    if ((failures & (failures - 1)) !== 0) return;
    this.#host.runtime.log('warn', what, { tx: this.id, branch, reason, error: message, failures });
  }
}

function failureOf(branch: string, { code, reason, message }: HeddleError): TxFailure {
  return { branch, code, reason, message };
}
