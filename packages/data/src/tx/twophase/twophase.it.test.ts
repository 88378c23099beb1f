import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Call, HeddleError, type Service } from '@heddle/kernel';
import { mortalRuntime } from '@heddle/kernel/testing';
import type { Sql } from '@heddle/sql';
import { type Database, databases, runtime, until } from '../../testing/node/databases.ts';
import { TxCoordinator, type TxCoordinatorOptions } from './coordinator.ts';
import type { BranchId, Decision, KnownDecision, Participant } from './participant.ts';
import { PostgresParticipant } from './postgres-participant.ts';
import { RpcParticipant } from './rpc-participant.ts';
import { SqlDecisionLog } from './sql-decision-log.ts';
import { TxEndpoint } from './tx-endpoint.ts';

let server: Awaited<ReturnType<typeof databases>>;
before(async () => {
  server = await databases();
});
after(() => server.stop());

/** A participant whose settling can fail. */
class Moody implements Participant {
  readonly name: string;
  broken = false;
  readonly #inner: PostgresParticipant;

  constructor(inner: PostgresParticipant) {
    this.#inner = inner;
    this.name = inner.name;
  }

  check(): Promise<void> {
    return this.#inner.check();
  }

  branch(work: (sql: Sql) => Promise<unknown>): ReturnType<PostgresParticipant['branch']> {
    return { ...this.#inner.branch(work), participant: this };
  }

  async settle(id: BranchId, decision: Decision): Promise<void> {
    if (this.broken) throw new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'down' });
    await this.#inner.settle(id, decision);
  }

  prepared(): ReturnType<PostgresParticipant['prepared']> {
    return this.#inner.prepared();
  }
}

interface Stage {
  readonly log: Database;
  readonly one: Database;
  readonly two: Database;
  readonly first: Moody;
  readonly second: Moody;
  readonly open: (more?: Partial<TxCoordinatorOptions>) => Promise<TxCoordinator>;
  /** Both balances, and how many branches are prepared. */
  readonly read: () => Promise<readonly number[]>;
}

const add = (amount: number) => (sql: Sql) =>
  sql.execute('UPDATE account SET amount = amount + $1', [amount]);

function withStage(run: (stage: Stage) => Promise<void>): () => Promise<void> {
  return async () => {
    const [log, one, two] = [await server.create(), await server.create(), await server.create()];
    for (const { pool } of [one, two])
      await pool.execute(
        'CREATE TABLE account (amount integer CHECK (amount >= 0)); INSERT INTO account VALUES (100)',
      );
    const first = new Moody(new PostgresParticipant({ name: 'first', pool: one.pool }));
    const second = new Moody(new PostgresParticipant({ name: 'second', pool: two.pool }));
    const opened: TxCoordinator[] = [];
    const amount = async ({ pool }: Database): Promise<number> =>
      (await pool.query<{ amount: number }>('SELECT amount FROM account'))[0]?.amount ?? -1;
    const prepared = `SELECT count(*)::integer AS n FROM pg_prepared_xacts WHERE database LIKE 'd%'`;
    try {
      await run({
        log,
        one,
        two,
        first,
        second,
        open: async (more = {}) => {
          const coordinator = new TxCoordinator({
            runtime,
            log: new SqlDecisionLog(log.pool),
            participants: [first, second],
            leaseMs: 600,
            sweepMs: 50,
            patienceMs: 300,
            ...more,
          });
          await coordinator.start();
          if (more.runtime === undefined) opened.push(coordinator);
          return coordinator;
        },
        read: async () => {
          const [row] = await log.pool.query<{ n: number }>(prepared);
          return [await amount(one), await amount(two), row?.n ?? -1];
        },
      });
    } finally {
      first.broken = false;
      second.broken = false;
      for (const each of opened) await each.stop();
      for (const each of [log, one, two]) await each.close();
    }
  };
}

test(
  'what all have voted for is committed everywhere, and what one refuses nowhere',
  withStage(async ({ open, first, second, read }) => {
    const coordinator = await open();
    const result = await coordinator.run(async (tx) => {
      await tx.join(first.branch(add(-30)));
      return tx.join(second.branch(add(30)));
    });
    assert.deepEqual([result.status, result.value], ['committed', 1]);
    assert.deepEqual(await read(), [70, 130, 0]);
    const refused = coordinator.run((tx) =>
      Promise.all([tx.join(second.branch(add(80))), tx.join(first.branch(add(-80)))]),
    );
    await assert.rejects(refused, { reason: 'CHECK_VIOLATION' });
    await until('the other is rolled back', async () => (await read())[2] === 0);
    assert.deepEqual(await read(), [70, 130, 0]);
  }),
);

test(
  'a no whose error is swallowed is a no all the same',
  withStage(async ({ open, first, second, read }) => {
    const coordinator = await open();
    const swallowed = coordinator.run(async (tx) => {
      await tx.join(second.branch(add(200)));
      await tx.join(first.branch(add(-200))).catch(() => {});
    });
    await assert.rejects(swallowed, { code: 'aborted', reason: 'CHECK_VIOLATION' });
    const inBranch = coordinator.run((tx) =>
      tx.join(first.branch((sql) => add(-200)(sql).catch(() => undefined))),
    );
    await assert.rejects(inBranch);
    await until('nothing is prepared', async () => (await read())[2] === 0);
    assert.deepEqual(await read(), [100, 100, 0]);
  }),
);

test(
  'a second phase that fails is in doubt, never said to be committed, and told until it holds',
  withStage(async ({ open, first, second, read }) => {
    const coordinator = await open();
    second.broken = true;
    const result = await coordinator.run(async (tx) => {
      await tx.join(first.branch(add(-30)));
      await tx.join(second.branch(add(30)));
    });
    assert.equal(result.status, 'in-doubt');
    assert.deepEqual(
      result.open.map(({ branch, error }) => [branch, error?.reason]),
      [['second', 'DOWN']],
    );
    assert.deepEqual(await read(), [70, 100, 1]);
    second.broken = false;
    await until('it holds', async () => (await read())[1] === 130);
  }),
);

test(
  'after the coordinator has died, what it decided is committed by another, what it did not is rolled back',
  withStage(async ({ open, first, second, read, log }) => {
    const life = mortalRuntime(runtime);
    const victim = await open({ runtime: life });
    second.broken = true;
    const decided = victim.run(async (tx) => {
      await tx.join(first.branch(add(-30)));
      await tx.join(second.branch(add(30)));
    });
    await until(
      'it is decided',
      async () => (await new SqlDecisionLog(log.pool).unconfirmed(9)).length === 1,
    );
    void victim.run(async (tx) => {
      await tx.join(first.branch(add(-7)));
      await new Promise(() => {});
    });
    void decided;
    await until('two are prepared', async () => (await read())[2] === 2);
    life.die();
    second.broken = false;
    await open();
    await until('all is settled', async () => (await read())[2] === 0);
    assert.deepEqual(await read(), [70, 130, 0]);
  }),
);

test(
  'a coordinator whose lease has ended cannot decide any more, although it lives',
  withStage(async ({ open, first, read, log }) => {
    // Its heart does not beat, but it goes on.
    const still = {
      ...runtime,
      timers: {
        ...runtime.timers,
        after: (ms: number, task: () => void) => runtime.timers.after(ms === 200 ? 1e8 : ms, task),
      },
    };
    const slow = await open({ runtime: still, leaseMs: 600, sweepMs: 1e8 });
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const run = slow.run(async (tx) => {
      await tx.join(first.branch(add(-30)));
      await held;
    });
    await until('it is prepared', async () => (await read())[2] === 1);
    await open();
    await until('it is buried and rolled back', async () => (await read())[2] === 0);
    release();
    await assert.rejects(run, { reason: 'COORDINATOR_FENCED' });
    assert.deepEqual(await read(), [100, 100, 0]);
    await slow.stop();
    const [{ n } = { n: -1 }] = await log.pool.query<{ n: number }>(
      'SELECT count(*) AS n FROM heddle_tx_decisions',
    );
    assert.equal(n, 0);
  }),
);

test(
  'a participant that is not known is an error, before and after the decision',
  withStage(async ({ open, first, second, read, log }) => {
    const partial = await open({ participants: [first] });
    await assert.rejects(
      partial.run((tx) => tx.join(second.branch(add(1)))),
      { reason: 'UNKNOWN_PARTICIPANT' },
    );
    await partial.stop();
    const life = mortalRuntime(runtime);
    const victim = await open({ runtime: life });
    second.broken = true;
    void victim.run((tx) => Promise.all([tx.join(first.branch(add(-1))), tx.join(second.branch(add(1)))]));
    await until('the first is committed', async () => (await read())[0] === 99);
    life.die();
    second.broken = false;
    const heir = await open({ participants: [first] });
    await until('it is taken over', async () => {
      const rows = await log.pool.query<{ worker: string; alive: string | null }>(
        `SELECT 1 FROM heddle_tx_decisions JOIN heddle_tx_workers USING (worker) WHERE done_at IS NULL`,
      );
      return rows.length === 1 && life.alive === false && (await heir.open(9)).length === 1;
    });
    assert.deepEqual(await read(), [99, 100, 1]);
    await heir.stop();
    await open();
    await until('one that knows both ends it', async () => (await read())[1] === 101);
  }),
);

test(
  'a service votes yes with a prepared transaction of its own, and asks when it hears nothing',
  withStage(async ({ open, first, two, read }) => {
    let silent = false;
    const ask: Service<string, KnownDecision> = (tx) => coordinator.decisionOf(tx);
    const endpoint = new TxEndpoint<{ amount: number }>({
      runtime,
      name: 'shop',
      pool: two.pool,
      prepare: (sql, { amount }) => add(amount)(sql),
      ask,
      askAfterMs: 100,
    });
    await endpoint.start();
    const shop = new RpcParticipant<{ amount: number }, number>({
      runtime,
      name: 'shop',
      service: async (request, call) => {
        if (silent && request.op !== 'prepare') return Promise.reject(new Error('cut'));
        // Every message arrives twice.
        await endpoint.service(request, call);
        return endpoint.service(request, call);
      },
    });
    const coordinator: TxCoordinator = await open({ participants: [first, shop] });
    const transfer = (amount: number): Promise<{ readonly status: string }> =>
      coordinator.run(async (tx) => {
        await tx.join(first.branch(add(-amount)));
        await tx.join(shop.branch({ amount }));
      });
    assert.equal((await transfer(10)).status, 'committed');
    assert.deepEqual(await read(), [90, 110, 0]);
    silent = true;
    assert.equal((await transfer(10)).status, 'in-doubt');
    await until('it has asked', async () => (await read())[1] === 120);
    silent = false;
    await assert.rejects(transfer(500));
    await until('nothing is prepared', async () => (await read())[2] === 0);
    assert.deepEqual(await read(), [80, 120, 0]);
    await endpoint.stop();
  }),
);

test(
  'an abort that arrives while its prepare waits for a lock leaves nothing prepared, and waits for nobody',
  withStage(async ({ two, read }) => {
    const ask: Service<string, KnownDecision> = () => Promise.resolve('undecided');
    let arrived = 0;
    const endpoint = new TxEndpoint<{ amount: number }>({
      runtime,
      name: 'shop',
      pool: two.pool,
      prepare: (sql, { amount }) => {
        arrived += 1;
        return add(amount)(sql);
      },
      ask,
      askAfterMs: 60_000,
      mostPreparing: 1,
    });
    await endpoint.start();
    const call = (): Call => Call.root(runtime, runtime.clock.nowMs() + 60_000);
    const say = (op: 'prepare' | 'commit' | 'abort', tx: string): Promise<unknown> =>
      endpoint.service({ op, tx, branch: 'shop', payload: { amount: 1 } }, call());
    await say('prepare', 'holder');
    const waiting = say('prepare', 'late').catch((error: unknown) => HeddleError.from(error).reason);
    await until('it waits for the lock', async () => arrived === 2);
    // There is one place to prepare, and it is taken: this one waits without a connection.
    const third = say('prepare', 'third').catch((error: unknown) => HeddleError.from(error).reason);
    const aborted = say('abort', 'late');
    await say('commit', 'holder');
    await aborted;
    await Promise.all([waiting, third]);
    await say('abort', 'third');
    assert.deepEqual(await read(), [100, 101, 0]);
    await endpoint.stop();
  }),
);

test(
  'a prepare that gets lost is asked for again, and done once; only so many are at work at one time',
  withStage(async ({ open, first, two, read }) => {
    const ask: Service<string, KnownDecision> = (tx) => coordinator.decisionOf(tx);
    const prepare = (sql: Sql, { amount }: { amount: number }): Promise<number> => add(amount)(sql);
    const endpoint = new TxEndpoint<{ amount: number }>({
      runtime,
      name: 'shop',
      pool: two.pool,
      prepare,
      ask,
    });
    await endpoint.start();
    let answers = 0;
    const lost = new HeddleError({ code: 'unavailable', reason: 'LOST', message: 'lost' });
    const shop = new RpcParticipant<{ amount: number }>({
      runtime,
      name: 'shop',
      attempts: 3,
      service: async (request, call) => {
        const answer = await endpoint.service(request, call);
        answers += 1;
        return request.op === 'prepare' && answers % 3 !== 0 ? Promise.reject(lost) : answer;
      },
    });
    const coordinator: TxCoordinator = await open({ participants: [first, shop], mostAtOnce: 1 });
    let [atWork, most] = [0, 0];
    const transfer = (): Promise<{ readonly status: string }> =>
      coordinator.run(async (tx) => {
        most = Math.max(most, (atWork += 1));
        try {
          await tx.join(first.branch(add(-1)));
          await tx.join(shop.branch({ amount: 1 }));
        } finally {
          atWork -= 1;
        }
      });
    assert.equal((await transfer()).status, 'committed');
    assert.ok(answers >= 4);
    answers = 2;
    const both = await Promise.allSettled([transfer(), transfer()]);
    assert.equal(most, 1);
    await until('nothing is prepared', async () => (await read())[2] === 0);
    const done = both.filter(({ status }) => status === 'fulfilled').length;
    assert.deepEqual(await read(), [99 - done, 101 + done, 0]);
    await endpoint.stop();
  }),
);

test(
  'one global id in two databases of one server is refused by the server: ours differ',
  withStage(async ({ one, two }) => {
    await one.pool.execute("BEGIN; SELECT 1; PREPARE TRANSACTION 'the-same'");
    await assert.rejects(two.pool.execute("BEGIN; SELECT 1; PREPARE TRANSACTION 'the-same'"), /42710/);
    await two.pool.execute('ROLLBACK');
    await one.pool.execute("ROLLBACK PREPARED 'the-same'");
  }),
);

test('a PostgreSQL as it comes, without prepared transactions, is refused with what is to be done', async () => {
  const stock = await databases({ maxPreparedTransactions: 0 });
  const { pool, close } = await stock.create();
  const coordinator = new TxCoordinator({
    runtime,
    log: new SqlDecisionLog(pool),
    participants: [new PostgresParticipant({ name: 'orders', pool })],
  });
  await assert.rejects(coordinator.start(), (thrown: unknown) => {
    const { code, reason, message } = HeddleError.from(thrown);
    assert.deepEqual([code, reason], ['failed_precondition', 'PREPARED_TRANSACTIONS_OFF']);
    assert.match(message, /participant orders: max_prepared_transactions .* is 0.*postgresql\.conf/);
    return true;
  });
  await close();
  await stock.stop();
});
