// A process that runs the sagas of the proof, until it is killed.
import { flushCompileCache } from 'node:module';
import { HeddleError } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { passBarrier } from '@heddle/data/barrier';
import { type AnySaga, saga, SagaEngine, type SagaDefinition } from '@heddle/data/saga';
import { PostgresParticipant, SqlDecisionLog, TxCoordinator } from '@heddle/data/twophase';
import { type Sql, type SqlPool, sqlPool } from '@heddle/sql';

/** Where the money is, and where the sagas are. */
export interface Places {
  readonly center: string;
  readonly from: string;
  readonly to: string;
}

/** One transfer. `how`: by two steps, by two-phase commit in one step, or refused in the end so that it is undone. */
export interface Transfer {
  readonly account: number;
  readonly amount: number;
  readonly how: 'steps' | 'twophase' | 'refused';
}

/** What the sagas need of a process. */
export interface Hands {
  readonly from: SqlPool;
  readonly to: SqlPool;
  readonly both: (tx: string, transfer: Transfer) => Promise<unknown>;
}

const attempts = 10_000;
const backoff = { baseMs: 50, maxMs: 1000 };

/** Takes from one account and gives to another: each move is noted beside its effect, so that a second one would show. */
export function transferSaga(hands: Hands | undefined): SagaDefinition<Transfer, unknown> {
  const handsOf = (): Hands => hands ?? fail();
  return saga<Transfer>('transfer')
    .step('take', {
      when: ({ input }) => input.how !== 'twophase',
      run: ({ id, input }) => once(handsOf().from, id, 'run', input.account, -input.amount),
      undo: async ({ id, input }) =>
        void (await once(handsOf().from, id, 'undo', input.account, input.amount)),
      attempts,
      undoAttempts: attempts,
      backoff,
    })
    .step('give', {
      when: ({ input }) => input.how !== 'twophase',
      run: ({ id, input }) => once(handsOf().to, id, 'run', input.account, input.amount),
      undo: async ({ id, input }) =>
        void (await once(handsOf().to, id, 'undo', input.account, -input.amount)),
      attempts,
      undoAttempts: attempts,
      backoff,
    })
    .step('move', {
      when: ({ input }) => input.how === 'twophase',
      run: async ({ id, input }) => void (await handsOf().both(id, input)),
      attempts,
      backoff,
    })
    .step('approve', {
      run: async ({ input }) => {
        if (input.how !== 'refused') return true;
        throw new HeddleError({ code: 'failed_precondition', reason: 'REFUSED', message: 'refused' });
      },
    })
    .build();
}

function fail(): never {
  throw new Error('this process begins sagas and runs none');
}

async function once(
  pool: SqlPool,
  tx: string,
  op: 'run' | 'undo',
  account: number,
  amount: number,
): Promise<boolean> {
  const passed = await pool.transaction(async (sql) => {
    await sql.execute("SET LOCAL lock_timeout = '1s'");
    return passBarrier(sql, { tx, branch: 'money', op }, () => move(sql, tx, op, account, amount));
  });
  return passed.done;
}

async function move(sql: Sql, tx: string, op: string, account: number, amount: number): Promise<void> {
  await sql.execute('INSERT INTO moves (tx, op, amount) VALUES ($1, $2, $3)', [tx, op, amount]);
  await sql.execute('UPDATE account SET amount = amount + $1 WHERE id = $2', [amount, account]);
}

/** The part of the transfer in one database, in a transaction that is prepared; nothing if it was done before. */
const branchWork =
  (tx: string, account: number, amount: number) =>
  async (sql: Sql): Promise<void> => {
    await sql.execute("SET LOCAL lock_timeout = '1s'");
    await passBarrier(sql, { tx, branch: 'money', op: 'run' }, () => move(sql, tx, 'run', account, amount));
  };

async function main(places: Places): Promise<void> {
  const runtime = { ...nodeRuntime({ name: 'worker' }), log: () => {} };
  const open = (url: string, maxConnections = 10): SqlPool => sqlPool(url, { runtime, maxConnections });
  const [center, from, to] = [open(places.center), open(places.from), open(places.to)];
  // Whoever dies leaves accounts locked until what it had prepared is settled: those that wait must not be in the way.
  const [first, second] = [
    new PostgresParticipant({ name: 'from', pool: from, settlePool: open(places.from, 2) }),
    new PostgresParticipant({ name: 'to', pool: to, settlePool: open(places.to, 2) }),
  ];
  const coordinator = new TxCoordinator({
    runtime,
    log: new SqlDecisionLog(center),
    participants: [first, second],
    leaseMs: 3000,
    sweepMs: 500,
    mostAtOnce: 8,
  });
  await coordinator.start();
  const definition = transferSaga({
    from,
    to,
    both: (tx, { account, amount }) =>
      coordinator.run(async (transaction) => {
        await transaction.join(first.branch(branchWork(tx, account, -amount)));
        await transaction.join(second.branch(branchWork(tx, account, amount)));
      }),
  });
  const definitions: readonly AnySaga[] = [definition];
  const engine = new SagaEngine({
    runtime,
    pool: center,
    url: places.center,
    definitions,
    leaseMs: 3000,
    pollMs: 200,
    maxRunning: 64,
  });
  await engine.start();
  // Its end will be a kill, which stores nothing.
  flushCompileCache();
  process.stdout.write('READY\n');
}

if (process.argv[1] === import.meta.filename) await main(JSON.parse(process.argv[2] ?? '{}') as Places);
