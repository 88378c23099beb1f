import {
  Call,
  HeddleError,
  type Part,
  perform,
  type Runtime,
  type Service,
  type Timer,
} from '@heddle/kernel';
import type { Sql, SqlPool } from '@heddle/sql';
import { concurrency, timeout } from '@heddle/traffic';
import { passBarrier, prepareBarrier } from '../barrier/index.ts';
import type { BranchId, KnownDecision } from './participant.ts';
import { PostgresParticipant } from './postgres-participant.ts';
import type { TxAnswer, TxRequest, TxService } from './rpc-participant.ts';

/** What the service's side is made from. */
export interface TxEndpointOptions<Payload> {
  readonly runtime: Runtime;
  /** Of this service: what its prepared transactions are called by. Letters, digits and `-`. */
  readonly name: string;
  readonly pool: SqlPool;
  /** Does the work of a branch in the transaction that is then prepared. What it rejects with is the vote no. */
  readonly prepare: (sql: Sql, payload: Payload, call: Call) => Promise<unknown>;
  /** Asks whoever coordinates what came of a transaction: `TxCoordinator.decisionOf` at the other end. */
  readonly ask: Service<string, KnownDecision>;
  /** How long a yes may stay unanswered before it asks. Default 5000. */
  readonly askAfterMs?: number;
  /**
   * Branches at work at one time; more wait, without a connection. Fewer than the pool has: a branch that waits for a lock
   * holds a connection meanwhile, and the one that has the lock needs one to commit. Default 4.
   */
  readonly mostPreparing?: number;
}

type Preparing = Extract<TxRequest, { readonly op: 'prepare' }>;

/**
 * A service that takes part over RPC: `service` is what it answers with. Its yes is a prepared transaction of its own
 * database, so it survives everything; a yes that hears no decision asks until there is one. What is told twice, late,
 * or for the first time after its abort, is harmless.
 */
export class TxEndpoint<Payload> implements Part {
  readonly name: string;
  readonly service: TxService;
  readonly #options: TxEndpointOptions<Payload>;
  readonly #participant: PostgresParticipant;
  readonly #prepare: Service<Preparing, TxAnswer>;
  /** In time, whatever the client makes of deadlines: who waits for ever for one answer asks for nothing else. */
  readonly #ask: Service<string, KnownDecision>;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: TxEndpointOptions<Payload>) {
    const { name, pool, mostPreparing: max = 4 } = options;
    this.name = `branches of ${name}`;
    this.#options = options;
    this.#ask = timeout<string, KnownDecision>()(options.ask);
    this.#participant = new PostgresParticipant({ name, pool, space: `heddle-${name}` });
    this.service = (request, call) => this.#answer(request, call);
    const limits = { max, queue: 1000, maxWaitMs: 10_000, what: this.name };
    this.#prepare = concurrency<Preparing, TxAnswer>(limits)((request, call) => this.#vote(request, call));
  }

  async start(): Promise<void> {
    await this.#participant.check();
    await prepareBarrier(this.#options.pool);
    this.#askLater();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Asks for every yes that has waited long enough, now. */
  async askNow(): Promise<void> {
    const { runtime, askAfterMs = 5000 } = this.#options;
    for (const { tx, branch, ageMs } of await this.#participant.prepared()) {
      if (ageMs < askAfterMs) continue;
      const call = Call.root(runtime, runtime.clock.nowMs() + 5000);
      const decision = await perform(this.#ask, tx, call);
      if (decision !== 'undecided') await this.#settle({ tx, branch }, decision);
    }
  }

  async #answer(request: TxRequest, call: Call): Promise<TxAnswer> {
    const id = { tx: request.tx, branch: request.branch };
    if (request.op !== 'prepare') {
      await this.#settle(id, request.op);
      return {};
    }
    return perform(this.#prepare, request, call.child());
  }

  async #vote({ tx, branch, payload }: Preparing, call: Call): Promise<TxAnswer> {
    const id = { tx, branch };
    // A repetition would wait for the barrier row of the first, which is prepared: so it is looked for before.
    if (await this.#isPrepared(id)) return {};
    const vote = await this.#participant
      .branch(async (sql) => {
        await sql.execute("SET LOCAL lock_timeout = '3s'");
        const passed = await passBarrier(sql, { ...id, op: 'prepare' }, () =>
          this.#options.prepare(sql, payload as Payload, call),
        );
        if (!passed.done) throw over(id, passed.why);
        // Nobody waits for this vote any more: it would only hold its locks until it is told to abort.
        if (call.remainingMs() <= 0) throw over(id, 'it took too long');
        return passed.value;
      })
      .prepare(id, call);
    if (vote.yes) return { result: vote.value };
    if (await this.#isPrepared(id)) return {};
    throw vote.error;
  }

  async #settle(id: BranchId, decision: 'commit' | 'abort'): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      await this.#participant.settle(id, decision);
      if (decision === 'commit') return;
      try {
        // So that a prepare that is still on its way finds its place taken.
        return await this.#options.pool.transaction(async (sql) => {
          await sql.execute("SET LOCAL lock_timeout = '100ms'");
          await passBarrier(sql, { ...id, op: 'abort' }, () => Promise.resolve());
        });
      } catch (thrown) {
        // One that is at work has the place. It will end, or be prepared: then it has to be rolled back first.
        if (HeddleError.from(thrown).reason !== 'LOCK_TIMEOUT' || attempt === 100) throw thrown;
      }
    }
  }

  async #isPrepared({ tx, branch }: BranchId): Promise<boolean> {
    const found = await this.#participant.prepared();
    return found.some((each) => each.tx === tx && each.branch === branch);
  }

  #askLater(): void {
    const { runtime, askAfterMs = 5000 } = this.#options;
    const waitMs = askAfterMs * (0.25 + 0.5 * runtime.random.float());
    this.#timer = runtime.timers.after(waitMs, () => {
      void this.askNow()
        .catch((thrown: unknown) => {
          const { reason, message } = HeddleError.from(thrown);
          runtime.log('warn', 'what came of a transaction cannot be asked', { reason, error: message });
        })
        .then(() => {
          if (!this.#stopped) this.#askLater();
        });
    });
  }
}

function over({ tx, branch }: BranchId, why: string): HeddleError {
  const message = `branch ${branch} of transaction ${tx} is over (${why}); nothing is prepared`;
  return new HeddleError({ code: 'aborted', reason: 'TX_OVER', message });
}
