import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import {
  type Branch,
  type BranchId,
  type DecidedTx,
  type Decision,
  type DecisionLog,
  type KnownDecision,
  type Participant,
  type PreparedBranch,
  TxCoordinator,
} from '@heddle/data/twophase';
import type { Host, Scenario, World } from '@heddle/sim';
import { Durable } from './stage/durable.ts';

const stormMs = 6000;
const start = 1000;

/** A bug to plant. */
export interface PlantedTwoPhase {
  /** The coordinator takes a decision for stored that was not. */
  readonly decisionNotLogged?: boolean;
}

/**
 * Three coordinators move money between two accounts in two databases while they are killed at their durable writes, cut
 * off from them, and answers are lost. In the end nothing is prepared, and no money was made or lost.
 */
export function twoPhase(planted: PlantedTwoPhase = {}): Scenario {
  return {
    name: 'two-phase',
    summary: 'coordinators of two-phase commits that are killed at every durable write and cut off',
    run: (world) => play(world, planted),
  };
}

/** One database: an amount, and what is prepared in it. */
class Account {
  amount = start;
  readonly prepared = new Map<string, { readonly id: BranchId; readonly amount: number }>();
}

async function play(world: World, planted: PlantedTwoPhase): Promise<void> {
  const durable = new Durable(world);
  const accounts = { first: new Account(), second: new Account() };
  const book = new LogBook();
  let committed = 0;
  const hosts = ['coordinator-1', 'coordinator-2', 'coordinator-3'].map((name) => world.host(name));
  durable.cutOff(hosts, stormMs);
  for (const host of hosts) {
    host.run(async (runtime) => {
      const first = new SimulatedAccount('first', accounts.first, durable, host);
      const second = new SimulatedAccount('second', accounts.second, durable, host);
      const log = new SimulatedLog(book, durable, host, world, planted);
      const times = { leaseMs: 600, sweepMs: 200, patienceMs: 400 };
      const coordinator = new TxCoordinator({ runtime, log, participants: [first, second], ...times });
      await started(coordinator, runtime);
      while (world.nowMs < stormMs) {
        const amount = 1 + (runtime.random.uint32() % 50);
        const run = coordinator.run(
          (tx) => Promise.all([tx.join(first.change(-amount)), tx.join(second.change(amount))]),
          Call.root(runtime),
        );
        await run.then(
          ({ status }) => (committed += status === 'committed' ? 1 : 0),
          () => {},
        );
        await pause(runtime, 50 * runtime.random.float());
      }
    });
  }
  await world.run(stormMs);
  durable.calm();
  const settled = (): boolean =>
    accounts.first.prepared.size === 0 && accounts.second.prepared.size === 0 && book.open().length === 0;
  await world.run(5000);
  await world.runUntil('nothing is in doubt', 20_000, settled);
  const sum = accounts.first.amount + accounts.second.amount;
  if (sum !== 2 * start) world.fail('money', `${sum} in the end, ${2 * start} in the beginning`);
  if (committed === 0) world.fail('work', 'nothing was committed, so nothing was shown');
}

async function started(coordinator: TxCoordinator, runtime: Runtime): Promise<void> {
  for (;;)
    try {
      return await coordinator.start();
    } catch {
      await pause(runtime, 50);
    }
}

function pause(runtime: Runtime, ms: number): Promise<void> {
  return new Promise((resolve) => runtime.timers.after(ms, resolve));
}

class SimulatedAccount implements Participant {
  readonly name: string;
  readonly #account: Account;
  readonly #durable: Durable;
  readonly #host: Host;

  constructor(name: string, account: Account, durable: Durable, host: Host) {
    this.name = name;
    this.#account = account;
    this.#durable = durable;
    this.#host = host;
  }

  async check(): Promise<void> {}

  change(amount: number): Branch<void> {
    return {
      participant: this,
      prepare: async (id) => {
        try {
          if (this.#account.amount + amount < 0) throw refusal();
          await this.#durable.write(this.#host, () => this.#account.prepared.set(keyOf(id), { id, amount }));
          return { yes: true, value: undefined };
        } catch (thrown) {
          const error = HeddleError.from(thrown);
          return { yes: false, gone: error.reason === 'REFUSED', error };
        }
      },
    };
  }

  async settle(id: BranchId, decision: Decision): Promise<void> {
    await this.#durable.write(this.#host, () => {
      const found = this.#account.prepared.get(keyOf(id));
      this.#account.prepared.delete(keyOf(id));
      if (decision === 'commit') this.#account.amount += found?.amount ?? 0;
    });
  }

  async prepared(): Promise<readonly PreparedBranch[]> {
    return [...this.#account.prepared.values()].map(({ id }) => ({ ...id, ageMs: 0 }));
  }
}

function keyOf({ tx, branch }: BranchId): string {
  return `${tx}/${branch}`;
}

function refusal(): HeddleError {
  return new HeddleError({ code: 'failed_precondition', reason: 'REFUSED', message: 'not enough' });
}

/** What the log's database holds. */
class LogBook {
  readonly workers = new Map<string, number>();
  readonly decisions = new Map<string, DecidedTx & { worker: string; done: boolean }>();

  open(): readonly (DecidedTx & { worker: string; done: boolean })[] {
    return [...this.decisions.values()].filter(({ done }) => !done);
  }

  bury(nowMs: number): void {
    for (const [worker, untilMs] of this.workers) if (untilMs < nowMs) this.workers.delete(worker);
  }
}

class SimulatedLog implements DecisionLog {
  readonly #book: LogBook;
  readonly #durable: Durable;
  readonly #host: Host;
  readonly #world: World;
  readonly #planted: PlantedTwoPhase;

  constructor(book: LogBook, durable: Durable, host: Host, world: World, planted: PlantedTwoPhase) {
    this.#book = book;
    this.#durable = durable;
    this.#host = host;
    this.#world = world;
    this.#planted = planted;
  }

  async open(): Promise<string> {
    return 'sim';
  }

  async enter(worker: string, leaseMs: number): Promise<void> {
    await this.#write(() => this.#book.workers.set(worker, this.#world.nowMs + leaseMs));
  }

  live(worker: string, leaseMs: number): Promise<boolean> {
    return this.#write(() => {
      if (!this.#book.workers.has(worker)) return false;
      this.#book.workers.set(worker, this.#world.nowMs + leaseMs);
      return true;
    });
  }

  async leave(worker: string): Promise<void> {
    await this.#write(() => this.#book.workers.delete(worker));
  }

  decide(worker: string, decisions: readonly DecidedTx[]): Promise<ReadonlySet<string>> {
    if (this.#planted.decisionNotLogged === true)
      return Promise.resolve(new Set(decisions.map(({ tx }) => tx)));
    return this.#write(() => {
      for (const each of decisions)
        if (this.#book.workers.has(worker) && !this.#book.decisions.has(each.tx))
          this.#book.decisions.set(each.tx, { ...each, worker, done: false });
      return new Set(decisions.map(({ tx }) => tx).filter((tx) => this.#book.decisions.has(tx)));
    });
  }

  async done(txs: readonly string[]): Promise<void> {
    await this.#write(() => {
      for (const tx of txs) {
        const found = this.#book.decisions.get(tx);
        if (found !== undefined) found.done = true;
      }
    });
  }

  decisionOf(tx: string, worker: string): Promise<KnownDecision> {
    return this.#write(() => {
      this.#book.bury(this.#world.nowMs);
      if (this.#book.decisions.has(tx)) return 'commit';
      return this.#book.workers.has(worker) ? 'undecided' : 'abort';
    });
  }

  adopt(worker: string, _most: number, atWork: readonly string[]): Promise<readonly DecidedTx[]> {
    return this.#write(() => {
      this.#book.bury(this.#world.nowMs);
      const left = this.#book
        .open()
        .filter((each) =>
          each.worker === worker ? !atWork.includes(each.tx) : !this.#book.workers.has(each.worker),
        );
      for (const each of left) each.worker = worker;
      return left;
    });
  }

  async unconfirmed(): Promise<readonly never[]> {
    return [];
  }

  async purge(): Promise<void> {}

  #write<T>(work: () => T): Promise<T> {
    return this.#durable.write(this.#host, work);
  }
}

export const scenario: Scenario = twoPhase();
