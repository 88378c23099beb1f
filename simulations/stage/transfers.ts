import type { Runtime } from '@heddle/kernel';
import { SagaEngine, type SagaDefinition } from '@heddle/data/saga';
import type { Host, World } from '@heddle/sim';
import { Durable } from './durable.ts';
import { LedgerAccount } from './ledger-account.ts';
import { SagaBook, SimulatedKeeper } from './saga-keeper.ts';

const stormMs = 6000;
const amounts = { from: 500, to: 500 };

/** What is wrong on purpose, and what does not go wrong. */
export interface PlantedWeather {
  /** The participants carry out whatever they are told, as often as they are told. */
  readonly barrierOff?: boolean;
  /** Processes are cut off from the database and from the participants now and then. Default true. */
  readonly cuts?: boolean;
}

/** What is moved. */
export interface Move {
  readonly amount: number;
}

/** What a definition is made for. */
export interface Accounts {
  readonly from: LedgerAccount;
  readonly to: LedgerAccount;
  /** Sends one instruction from a host, through the weather. */
  readonly send: (work: () => void) => Promise<void>;
}

/**
 * Three processes move money by a definition while they are killed at their durable writes, cut off from the database and
 * the participants, and messages are lost, doubled and late. In the end every saga has ended, nothing is reserved, and no money was made or lost.
 */
export async function playTransfers(
  world: World,
  define: (accounts: Accounts) => SagaDefinition<Move, unknown>,
  { barrierOff = false, cuts = true }: PlantedWeather,
): Promise<void> {
  const durable = new Durable(world);
  const book = new SagaBook();
  const from = new LedgerAccount(amounts.from, barrierOff);
  const to = new LedgerAccount(amounts.to, barrierOff);
  const hosts = ['worker-1', 'worker-2', 'worker-3'].map((name) => world.host(name));
  if (cuts) durable.cutOff(hosts, stormMs);
  for (const host of hosts) {
    const send = (work: () => void): Promise<void> => durable.exchange(host, work);
    host.run((runtime) => work(world, host, runtime, book, durable, define({ from, to, send })));
  }
  await world.run(stormMs);
  durable.calm();
  await world.runUntil('every saga has ended', 60_000, () => book.open().length === 0);
  // What is late arrives after the end, too.
  await world.run(5000);
  const statuses = [...book.sagas.values()].map(({ state }) => state.status);
  const sum = from.free + from.held + to.free;
  const whole = amounts.from + amounts.to;
  if (from.held !== 0 || to.held !== 0) world.fail('reserved', `${from.held} and ${to.held} in the end`);
  if (sum !== whole) world.fail('money', `${sum} in the end, ${whole} in the beginning`);
  if (statuses.length < 3) world.fail('work', `${statuses.length} sagas: nothing was shown`);
}

async function work(
  world: World,
  host: Host,
  runtime: Runtime,
  book: SagaBook,
  durable: Durable,
  definition: SagaDefinition<Move, unknown>,
): Promise<void> {
  const engine = new SagaEngine({
    runtime,
    keeper: (worker) => new SimulatedKeeper(book, durable, host, world, worker),
    definitions: [definition],
    leaseMs: 600,
    pollMs: 100,
  });
  await until(runtime, () => engine.start());
  while (world.nowMs < stormMs) {
    // Some of them cannot work: there is not enough.
    const amount = 1 + (runtime.random.uint32() % 300);
    await until(runtime, () => engine.begin(definition, { amount }, { id: runtime.random.uuid() }));
    await pause(runtime, 300 * runtime.random.float());
  }
}

/** Again until it works. */
async function until(runtime: Runtime, attempt: () => Promise<unknown>): Promise<void> {
  for (;;)
    try {
      await attempt();
      return;
    } catch {
      await pause(runtime, 50);
    }
}

function pause(runtime: Runtime, ms: number): Promise<void> {
  return new Promise((resolve) => runtime.timers.after(ms, resolve));
}
