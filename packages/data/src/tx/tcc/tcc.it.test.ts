import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Call, HeddleError } from '@heddle/kernel';
import type { Sql } from '@heddle/sql';
import { type Database, databases, runtime, until } from '../../testing/node/databases.ts';
import { prepareBarrier } from '../barrier/index.ts';
import { SagaEngine } from '../saga/index.ts';
import { tcc, tccService, type TccRequest, type TccService } from './index.ts';

let server: Awaited<ReturnType<typeof databases>>;
let database: Database;
before(async () => {
  server = await databases();
  database = await server.create();
  await prepareBarrier(database.pool);
  await database.pool.execute(
    'CREATE TABLE account (name text PRIMARY KEY, free integer CHECK (free >= 0), held integer NOT NULL DEFAULT 0)',
  );
});
after(async () => {
  await database.close();
  await server.stop();
});

interface Transfer {
  readonly amount: number;
}

/** An account that money leaves (`-1`) or comes to (`1`). */
function account(name: string, sign: 1 | -1): TccService {
  const change =
    (free: number, held: number) =>
    (sql: Sql, { amount }: Transfer): Promise<number> =>
      sql.execute('UPDATE account SET free = free + $1, held = held + $2 WHERE name = $3', [
        free * amount,
        held * amount,
        name,
      ]);
  return sign < 0
    ? tccService({
        pool: database.pool,
        reserve: change(-1, 1),
        confirm: change(0, -1),
        cancel: change(1, -1),
      })
    : tccService({
        pool: database.pool,
        reserve: change(0, 1),
        confirm: change(1, -1),
        cancel: change(0, -1),
      });
}

async function accounts(...names: string[]): Promise<void> {
  for (const name of names) await database.pool.execute('INSERT INTO account VALUES ($1, 100)', [name]);
}

const read = async (name: string): Promise<readonly number[]> => {
  const [row] = await database.pool.query<{ free: number; held: number }>(
    'SELECT free, held FROM account WHERE name = $1',
    [name],
  );
  return [row?.free ?? -1, row?.held ?? -1];
};

const quick = { baseMs: 1, maxMs: 2 };
const call = (): Call => Call.root(runtime, runtime.clock.nowMs() + 15_000);

test('all reserved: confirmed; one refused: the others are given back', async () => {
  await accounts('ann', 'bob');
  const transfer = tcc<Transfer>('transfer')
    .branch('from', { service: account('ann', -1), backoff: quick })
    .branch('to', { service: account('bob', 1), backoff: quick })
    .build();
  const engine = new SagaEngine({ runtime, ...database, definitions: [transfer], pollMs: 50 });
  await engine.start();
  const done = await engine.outcome(await engine.begin(transfer, { amount: 30 }), call());
  assert.equal(done.status, 'completed');
  assert.deepEqual(
    [await read('ann'), await read('bob')],
    [
      [70, 0],
      [130, 0],
    ],
  );
  const refused = await engine.outcome(await engine.begin(transfer, { amount: 500 }), call());
  assert.deepEqual([refused.status, refused.state.failure?.reason], ['compensated', 'CHECK_VIOLATION']);
  assert.deepEqual(
    [await read('ann'), await read('bob')],
    [
      [70, 0],
      [130, 0],
    ],
  );
  await engine.stop();
});

test('a try that arrives after its cancel is refused, a cancel without a try has no effect, repeats have none', async () => {
  await accounts('cleo');
  const service = account('cleo', -1);
  const say = (op: TccRequest['op'], tx: string): Promise<boolean> =>
    service({ op, tx, branch: 'b', payload: { amount: 10 } }, call()).then(({ done }) => done);
  assert.equal(await say('cancel', 'a'), false);
  await assert.rejects(say('try', 'a'), { reason: 'TCC_OVER' });
  assert.equal(await say('cancel', 'a'), false);
  assert.deepEqual(await read('cleo'), [100, 0]);
  assert.deepEqual(
    await Promise.all([say('try', 'b'), say('try', 'b')]).then((all) =>
      all.map(Number).toSorted((a, b) => a - b),
    ),
    [0, 1],
  );
  assert.deepEqual([await say('confirm', 'b'), await say('confirm', 'b')], [true, false]);
  assert.deepEqual(await read('cleo'), [90, 0]);
});

test('what cannot be reserved in time is cancelled, even if the try gets through later', async () => {
  await accounts('dora', 'emil');
  const late: (() => Promise<unknown>)[] = [];
  const inner = account('emil', 1);
  const transfer = tcc<Transfer>('slow', { reserveMs: 300 })
    .branch('from', { service: account('dora', -1), backoff: quick })
    .branch('to', {
      service: (request, given) => {
        if (request.op !== 'try') return inner(request, given);
        late.push(() => inner(request, call()));
        return Promise.reject(
          new HeddleError({ code: 'unavailable', reason: 'LOST', message: 'lost', sent: false }),
        );
      },
      attempts: 1000,
      backoff: { baseMs: 100, maxMs: 100 },
    })
    .build();
  const engine = new SagaEngine({ runtime, ...database, definitions: [transfer], pollMs: 50 });
  await engine.start();
  const view = await engine.outcome(await engine.begin(transfer, { amount: 10 }), call());
  assert.deepEqual([view.status, view.state.failure?.reason], ['compensated', 'SAGA_TIMEOUT']);
  await assert.rejects(late[0]?.() ?? assert.fail(), { reason: 'TCC_OVER' });
  await until('all is given back', async () => (await read('dora'))[0] === 100);
  assert.deepEqual(await read('emil'), [100, 0]);
  await engine.stop();
});

test('a try that hangs holds nobody up for longer than they wait: its cancel comes through when it has ended', async () => {
  await accounts('fay');
  let release: () => void = () => {};
  const hangs = new Promise<void>((resolve) => (release = resolve));
  let trying = false;
  const service = tccService<Transfer>({
    pool: database.pool,
    reserve: async (sql) => {
      await sql.execute("UPDATE account SET free = free - 10, held = held + 10 WHERE name = 'fay'");
      trying = true;
      await hangs;
    },
    confirm: async () => {},
    cancel: (sql) => sql.execute("UPDATE account SET free = free + 10, held = held - 10 WHERE name = 'fay'"),
  });
  const say = (op: TccRequest['op'], limitMs: number): Promise<boolean> =>
    service(
      { op, tx: 'hanging', branch: 'b', payload: { amount: 10 } },
      Call.root(runtime, runtime.clock.nowMs() + limitMs),
    ).then(({ done }) => done);
  const tried = say('try', 60_000);
  await until('it is being tried', async () => trying);
  // More of them than there are connections: whoever has given up must not keep one.
  for (let attempt = 0; attempt < 10; attempt += 1)
    await assert.rejects(say('cancel', 200), { reason: 'STATEMENT_TIMEOUT' });
  assert.equal(database.pool.load.open - database.pool.load.idle, 1);
  release();
  assert.equal(await tried, true);
  assert.equal(await say('cancel', 30_000), true);
  assert.deepEqual(await read('fay'), [100, 0]);
});
