import {
  Call,
  Gather,
  HeddleError,
  type Part,
  perform,
  type Runtime,
  type Service,
  type Timer,
} from '@heddle/kernel';
import { concurrency } from '@heddle/traffic';
import { type DecidedTx, type DecisionLog, type OpenDecision, txName } from './decision-log.ts';
import { LiveTx, type OpenBranch, type TxHost } from './live-tx.ts';
import type { Branch, KnownDecision, Participant } from './participant.ts';

/** What a coordinator is made from. */
export interface TxCoordinatorOptions {
  readonly runtime: Runtime;
  readonly log: DecisionLog;
  /** All that may take part, with the same names in every process that has this log. */
  readonly participants: readonly Participant[];
  /** A coordinator that is silent for so long has died: what it has not decided is aborted. Default 10000. */
  readonly leaseMs?: number;
  /** How often to look for what was left in doubt. Default 2000. */
  readonly sweepMs?: number;
  /** How long `run` waits for branches to confirm before it says `in-doubt`. Default 3000. */
  readonly patienceMs?: number;
  /** How long confirmed decisions are kept for those who ask. Default 7 days. */
  readonly keepMs?: number;
  /**
   * Transactions at work here at one time; more wait, with nothing prepared. All processes together must stay below the
   * participants' `max_prepared_transactions`; and many that want one row only stand in each other's way. Default 16.
   */
  readonly mostAtOnce?: number;
}

/** A transaction while its work is done. */
export interface Tx {
  readonly id: string;
  /** Does work in a participant, which then has prepared it. Rejects when it votes no; then the transaction aborts. */
  join<Result>(branch: Branch<Result>): Promise<Result>;
}

/**
 * How a transaction has ended. `committed`: every branch has confirmed. `in-doubt`: it is decided and durable that it
 * commits, but those in `open` have not confirmed yet; they are told until they do, by this process or another.
 */
export interface TxResult<Value> {
  readonly tx: string;
  readonly status: 'committed' | 'in-doubt';
  readonly value: Value;
  readonly open: readonly OpenBranch[];
}

/**
 * Two-phase commit over several participants, with presumed abort. Every process of a service may have one. As a part:
 * `start` checks the participants and settles what was left; `stop` ends when what is decided has been told or 5 s are
 * over, and leaves the rest to others.
 */
export class TxCoordinator implements Part {
  readonly name = 'transactions';
  readonly #options: Required<TxCoordinatorOptions>;
  readonly #participants: ReadonlyMap<string, Participant>;
  readonly #live = new Map<string, LiveTx>();
  readonly #decisions: Gather<DecidedTx, boolean>;
  readonly #dones: Gather<string, void>;
  readonly #host: TxHost;
  /** One at a time for each place. */
  readonly #places: (work: Service<undefined, unknown>) => Service<undefined, unknown>;
  #worker = '';
  #logId = '';
  #count = 0;
  #beat: Timer | undefined;
  #sweep: Timer | undefined;
  #sweeping: Promise<void> | undefined;
  #state: 'new' | 'running' | 'stopped' = 'new';
  #over = false;

  constructor(options: TxCoordinatorOptions) {
    const times = { leaseMs: 10_000, sweepMs: 2000, patienceMs: 3000, keepMs: 7 * 86_400_000 };
    const defaults = { ...times, mostAtOnce: 16 };
    this.#options = { ...defaults, ...options };
    this.#participants = participantsOf(options.participants);
    const limits = {
      max: this.#options.mostAtOnce,
      queue: 10_000,
      maxWaitMs: 60_000,
      what: 'the coordinator',
    };
    this.#places = concurrency<undefined, unknown>(limits);
    const { log, runtime } = options;
    this.#decisions = new Gather({ most: 200, send: (decisions) => this.#decide(decisions) });
    this.#dones = new Gather({
      most: 500,
      send: (txs) => log.done(txs).then(() => txs.map(() => undefined)),
    });
    this.#host = {
      runtime,
      decide: (decision) => this.#decisions.add(decision),
      participant: (name) => this.#participants.get(name),
      onEnd: (tx) => this.#ended(tx),
    };
  }

  async start(): Promise<void> {
    const { log, leaseMs } = this.#options;
    await Promise.all([...this.#participants.values()].map((each) => each.check()));
    this.#logId = await log.open();
    await this.#enter(leaseMs);
    this.#state = 'running';
    this.#beatLater();
    this.#sweepLater(0);
  }

  async stop(): Promise<void> {
    if (this.#state !== 'running') return;
    this.#state = 'stopped';
    this.#sweep?.cancel();
    await this.#sweeping;
    await this.#quiet();
    for (const tx of this.#live.values()) tx.stop();
    this.#over = true;
    this.#beat?.cancel();
    await this.#dones.settled();
    await this.#options.log.leave(this.#worker).catch(() => {});
  }

  /**
   * Runs `work`, and commits what it joined, everywhere or nowhere. Rejects with what made it abort, or with `unknown` /
   * `TX_IN_DOUBT` when the log does not say whether the decision is stored.
   */
  async run<Value>(
    work: (tx: Tx) => Promise<Value>,
    call: Call = Call.root(this.#options.runtime),
  ): Promise<TxResult<Value>> {
    const service = (_: undefined, own: Call): Promise<unknown> => this.#run(work, own);
    return (await perform(this.#places(service), undefined, call.child())) as TxResult<Value>;
  }

  async #run<Value>(work: (tx: Tx) => Promise<Value>, call: Call): Promise<TxResult<Value>> {
    const live = this.#begin();
    let value: Value;
    try {
      value = await work({ id: live.id, join: (branch) => live.join(this.#known(branch), call) });
      live.end();
    } catch (thrown) {
      live.end(HeddleError.from(thrown));
      await this.#told(live);
      throw thrown;
    }
    await this.#told(live);
    return resultOf(live, value);
  }

  /** What has come of a transaction: for participants that have voted yes and have heard nothing. */
  async decisionOf(tx: string): Promise<KnownDecision> {
    const name = txName(tx);
    if (name === undefined || name.log !== this.#logId) {
      const message = `transaction ${tx} is not of the log ${this.#logId}; ask the coordinator that it came from`;
      throw new HeddleError({ code: 'not_found', reason: 'OTHER_LOG', message, sent: false });
    }
    const decision = await this.#options.log.decisionOf(tx, name.worker);
    if (decision !== 'undecided' || name.worker !== this.#worker || this.#live.has(tx)) return decision;
    // Of this process, and not at work here any more: nobody can decide it now.
    return 'abort';
  }

  /** Decisions that not everybody has confirmed, the oldest first: of all processes. */
  open(most: number): Promise<readonly OpenDecision[]> {
    return this.#options.log.unconfirmed(most);
  }

  /** Looks for what was left in doubt, now: decisions of dead coordinators, and prepared branches without any. */
  async sweep(): Promise<void> {
    const { log, runtime, keepMs } = this.#options;
    for (const decided of await log.adopt(this.#worker, 500, [...this.#live.keys()])) {
      if (this.#live.has(decided.tx)) continue;
      const live = LiveTx.adopted(this.#host, decided);
      this.#live.set(live.id, live);
      live.resume();
    }
    for (const participant of this.#participants.values())
      await this.#settleOrphans(participant).catch((thrown: unknown) => {
        const { reason, message } = HeddleError.from(thrown);
        const fields = { participant: participant.name, reason, error: message };
        runtime.log('warn', 'prepared branches cannot be looked for', fields);
      });
    await log.purge(keepMs);
  }

  async #settleOrphans(participant: Participant): Promise<void> {
    for (const { tx, branch } of (await participant.prepared?.()) ?? []) {
      if (txName(tx)?.log !== this.#logId || this.#live.has(tx)) continue;
      const decision = await this.decisionOf(tx);
      if (decision === 'undecided' || this.#live.has(tx)) continue;
      await participant.settle({ tx, branch }, decision);
      const fields = { tx, branch, participant: participant.name, decision };
      this.#options.runtime.log('info', 'a branch that was left in doubt is settled', fields);
    }
  }

  #begin(): LiveTx {
    if (this.#state !== 'running') {
      const message = 'the coordinator of transactions does not run';
      throw new HeddleError({ code: 'unavailable', reason: 'COORDINATOR_STOPPED', message, sent: false });
    }
    this.#count += 1;
    const live = new LiveTx(this.#host, `${this.#logId}.${this.#worker}.${this.#count.toString(36)}`);
    this.#live.set(live.id, live);
    return live;
  }

  /** After a crash it is found by its name: so only what is registered may join. */
  #known<Result>(branch: Branch<Result>): Branch<Result> {
    const { name } = branch.participant;
    if (this.#participants.get(name) === branch.participant) return branch;
    const message = `participant ${name} is not among the coordinator's: ${[...this.#participants.keys()].join(', ')}`;
    throw new HeddleError({
      code: 'failed_precondition',
      reason: 'UNKNOWN_PARTICIPANT',
      message,
      sent: false,
    });
  }

  #told(live: LiveTx): Promise<void> {
    const { runtime, patienceMs } = this.#options;
    const over = (): boolean => live.state.status === 'committed' || live.state.status === 'aborted';
    if (over()) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        stop();
        timer.cancel();
        resolve();
      };
      const stop = live.onChange(() => {
        if (over()) done();
      });
      const timer = runtime.timers.after(patienceMs, done);
    });
  }

  #ended(live: LiveTx): void {
    const { status } = live.state;
    const forget = (): void => void this.#live.delete(live.id);
    if (status !== 'committed' || Object.keys(live.state.branches).length === 0) return forget();
    // If this fails, or is never reached, it is told once more: that does no harm.
    this.#dones
      .add(live.id)
      .catch(() => {})
      .finally(forget);
  }

  async #decide(decisions: readonly DecidedTx[]): Promise<readonly boolean[]> {
    // Its own worker, not the one of now: a coordinator that was buried begins anew under another name.
    const workers = new Set(decisions.map(({ tx }) => txName(tx)?.worker ?? ''));
    const stored = new Set<string>();
    for (const worker of workers) {
      const own = decisions.filter(({ tx }) => txName(tx)?.worker === worker);
      for (const tx of await this.#options.log.decide(worker, own)) stored.add(tx);
    }
    return decisions.map(({ tx }) => stored.has(tx));
  }

  async #enter(leaseMs: number): Promise<void> {
    const worker = this.#options.runtime.random.uuid().replaceAll('-', '').slice(0, 20);
    await this.#options.log.enter(worker, leaseMs);
    this.#worker = worker;
  }

  #beatLater(): void {
    const { runtime, log, leaseMs } = this.#options;
    this.#beat = runtime.timers.after(leaseMs / 3, () => {
      void log
        .live(this.#worker, leaseMs)
        .then((lives) => (lives || this.#state !== 'running' ? undefined : this.#enter(leaseMs)))
        .catch((thrown: unknown) => {
          const { message } = HeddleError.from(thrown);
          runtime.log('warn', 'the lease of transactions cannot be renewed', { error: message });
        })
        .then(() => {
          if (!this.#over) this.#beatLater();
        });
    });
  }

  #sweepLater(delayMs: number): void {
    const { runtime, sweepMs } = this.#options;
    this.#sweep = runtime.timers.after(delayMs, () => {
      this.#sweeping = this.sweep()
        .catch((thrown: unknown) => {
          const { message } = HeddleError.from(thrown);
          runtime.log('warn', 'what is in doubt cannot be looked for', { error: message });
        })
        .then(() => {
          const nextMs = sweepMs * (0.5 + runtime.random.float());
          if (this.#state === 'running') this.#sweepLater(nextMs);
        });
    });
  }

  /** Resolves when nothing is at work any more, or after 5 s. */
  #quiet(): Promise<void> {
    return new Promise((resolve) => {
      const { timers } = this.#options.runtime;
      const end = timers.after(5000, () => resolve());
      const look = (): void => {
        if (this.#live.size > 0) timers.after(5, look);
        else {
          end.cancel();
          resolve();
        }
      };
      look();
    });
  }
}

function resultOf<Value>(live: LiveTx, value: Value): TxResult<Value> {
  const { status, failure } = live.state;
  const { id: tx, open } = live;
  if (status === 'committed') return { tx, status: 'committed', value, open };
  if (status === 'committing') return { tx, status: 'in-doubt', value, open };
  if (status === 'aborting' || status === 'aborted') {
    const message = `transaction ${tx} was aborted: ${failure?.message ?? 'a branch did not vote'}`;
    const cause = live.cause;
    throw new HeddleError({ code: 'aborted', reason: failure?.reason ?? 'TX_ABORTED', message, cause });
  }
  const message = `transaction ${tx}: the log does not say whether the decision to commit is stored`;
  throw new HeddleError({ code: 'unknown', reason: 'TX_IN_DOUBT', message });
}

const nameRule = /^[a-z][a-z0-9-]{0,39}$/;

function participantsOf(participants: readonly Participant[]): ReadonlyMap<string, Participant> {
  const names = participants.map(({ name }) => name);
  const problems = [
    ...names
      .filter((name) => !nameRule.test(name))
      .map((name) => `${name}: expected 1 to 40 of a-z, 0-9 and "-", beginning with a letter`),
    ...names.filter((name, at) => names.indexOf(name) !== at).map((name) => `${name}: there are two of it`),
  ];
  if (problems.length === 0) return new Map(participants.map((each) => [each.name, each]));
  const message = `participants: ${problems.join('; ')}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_PARTICIPANTS', message, sent: false });
}
