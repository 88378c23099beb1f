import assert from 'node:assert/strict';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Call, HeddleError, type Runtime, sleep, type Span } from '@heddle/kernel';
import { asyncContext, nodeRuntime } from '@heddle/kernel/node';
import { type Migration, migrate } from '../migrate.ts';
import { prepared } from '../prepared.ts';
import type { SqlPool } from '../sql.ts';
import { violationOf } from '../sql-error.ts';
import { type EmbeddedPostgres, embeddedPostgres } from './embedded-postgres.ts';
import { sqlPool } from './pool.ts';

const runtime: Runtime = { ...nodeRuntime({ name: 'test' }), log: () => {} };
const pools: SqlPool[] = [];
let folder: string;
let server: EmbeddedPostgres;
let databases = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-pool-'));
  server = embeddedPostgres({ runtime, folder });
  await server.start();
});

after(async () => {
  await Promise.all(pools.map((pool) => pool.stop()));
  await server.stop();
  await rm(await realpath(join(folder, 'server')), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

function poolFor(url: string, options: Partial<Parameters<typeof sqlPool>[1]> = {}): SqlPool {
  const pool = sqlPool(url, { runtime, ...options });
  pools.push(pool);
  return pool;
}

async function newDatabase(): Promise<string> {
  databases += 1;
  return server.createDatabase(`d${databases}`);
}

const is = (code: string, reason: string, sent?: boolean) => (thrown: unknown) => {
  assert.ok(thrown instanceof HeddleError);
  assert.deepEqual([thrown.code, thrown.reason], [code, reason], thrown.message);
  if (sent !== undefined) assert.equal(thrown.sent, sent);
  return true;
};

describe('sqlPool', () => {
  test('gives each statement of the current call a span, and tells of each that has ended', async () => {
    const spans: Span[] = [];
    const ended: string[] = [];
    const pool = poolFor(await newDatabase(), {
      onStatement: ({ title, durationMs, error }) =>
        ended.push(`${title} ${error?.reason ?? 'ok'} ${durationMs >= 0}`),
    });
    const call = Call.root({
      ...runtime,
      spans: { sampleRatio: 1, slowMs: 1000, take: (span) => spans.push(span) },
    });
    await asyncContext.run(call, async () => {
      await pool.transaction(async (sql) => {
        await sql.execute('CREATE TABLE orders (id integer)');
        await sql.query('SELECT id FROM orders WHERE id = $1', [7]);
      });
      await assert.rejects(pool.query('SELECT * FROM nowhere'));
    });
    await pool.query('SELECT 1');
    call.end();
    const names = ['BEGIN', 'CREATE orders', 'SELECT orders', 'COMMIT', 'SELECT nowhere'];
    assert.deepEqual(
      spans.map(({ name, failed }) => `${name} ${failed}`),
      names.map((name) => `${name} ${name === 'SELECT nowhere'}`),
    );
    const told = names.map((name) => `${name} ${name === 'SELECT nowhere' ? 'SQL_ERROR' : 'ok'} true`);
    assert.deepEqual(ended, [...told, 'SELECT ok true']);
  });

  test('has a statement that was said to come again prepared once for each connection', async () => {
    const pool = poolFor(await newDatabase(), { maxConnections: 1 });
    const twice = prepared('SELECT $1::integer * 2 AS twice');
    assert.equal(prepared(twice), twice);
    for (const value of [1, 2]) assert.deepEqual(await pool.query(twice, [value]), [{ twice: value * 2 }]);
    const known = await pool.query('SELECT statement FROM pg_prepared_statements');
    assert.deepEqual(known, [{ statement: twice }]);
  });

  test('gives whole numbers, dates as text, instants as dates', async () => {
    const pool = poolFor(await newDatabase());
    const [row] = await pool.query(
      "SELECT 9007199254740991::bigint AS big, '2026-03-29'::date AS day, '2026-03-29T01:30Z'::timestamptz AS at",
    );
    assert.deepEqual(row, {
      big: Number.MAX_SAFE_INTEGER,
      day: '2026-03-29',
      at: new Date('2026-03-29T01:30Z'),
    });
    await assert.rejects(
      pool.query('SELECT 9007199254740992::bigint'),
      is('out_of_range', 'NUMBER_TOO_LARGE'),
    );
    assert.deepEqual(await pool.query('SELECT 1 AS still'), [{ still: 1 }]);
  });

  test('counts the rows that a statement touched, and that several did', async () => {
    const pool = poolFor(await newDatabase());
    assert.equal(
      await pool.execute(
        'CREATE TABLE t (id int); INSERT INTO t VALUES (1), (2); DELETE FROM t WHERE id = 1',
      ),
      3,
    );
    assert.equal(await pool.execute('UPDATE t SET id = $1', [5]), 1);
    assert.equal(await pool.execute('UPDATE t SET id = $1 WHERE false', [6]), 0);
  });

  test('says which rule a statement broke', async () => {
    const pool = poolFor(await newDatabase());
    await pool.execute(
      'CREATE TABLE t (id int PRIMARY KEY, stock int CONSTRAINT not_negative CHECK (stock >= 0)); INSERT INTO t VALUES (1, 1)',
    );
    await assert.rejects(
      pool.execute('INSERT INTO t VALUES (1, 1)'),
      is('already_exists', 'UNIQUE_VIOLATION', true),
    );
    await assert.rejects(pool.execute('UPDATE t SET stock = -1'), (thrown) => {
      is('failed_precondition', 'CHECK_VIOLATION')(thrown);
      return violationOf(thrown as HeddleError)?.constraint === 'not_negative';
    });
  });

  test('a statement that runs too long is ended on the server', async () => {
    const pool = poolFor(await newDatabase(), { statementTimeoutMs: 50 });
    await assert.rejects(pool.query('SELECT pg_sleep(10)'), is('deadline_exceeded', 'STATEMENT_TIMEOUT'));
    assert.deepEqual(await pool.query('SELECT 1 AS n'), [{ n: 1 }]);
    await pool.transaction((sql) => sql.query('SELECT pg_sleep(0.1)'), { statementTimeoutMs: 5000 });
    await assert.rejects(pool.query('SELECT pg_sleep(10)'), is('deadline_exceeded', 'STATEMENT_TIMEOUT'));
  });

  test('a caller waits for a connection for so long, and was not sent then', async () => {
    // Long enough to connect on a busy machine, which the limit covers too.
    const pool = poolFor(await newDatabase(), { maxConnections: 1, acquireTimeoutMs: 1500 });
    const [held, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const holding = pool.transaction(() => {
      held.resolve();
      return released.promise;
    });
    await held.promise;
    await assert.rejects(pool.query('SELECT 1'), is('resource_exhausted', 'POOL_EXHAUSTED', false));
    assert.equal(pool.load.open, 1);
    released.resolve();
    await holding;
    assert.equal((await pool.query('SELECT 1')).length, 1);
  });

  test('nobody at the other end: not sent', async () => {
    const pool = poolFor('postgres://a:b@127.0.0.1:1/c');
    await assert.rejects(pool.start(), is('unavailable', 'DATABASE_UNREACHABLE', false));
    assert.throws(
      () => poolFor('not a url with secret'),
      (thrown) =>
        is('invalid_argument', 'BAD_DATABASE_URL')(thrown) && !String(thrown).includes('with secret'),
    );
  });

  test('a connection that is cut during a statement: sent, and the next call gets a new one', async () => {
    const url = await newDatabase();
    const pool = poolFor(url, { maxConnections: 1, name: 'victim' });
    const sleeping = pool.query('SELECT pg_sleep(30)');
    const admin = poolFor(server.url());
    await untilSome(
      admin,
      "SELECT 1 FROM pg_stat_activity WHERE application_name = 'victim' AND query LIKE '%pg_sleep%'",
    );
    const lost = assert.rejects(
      sleeping,
      (thrown) => thrown instanceof HeddleError && thrown.code === 'unavailable' && thrown.sent,
    );
    await admin.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'victim'",
    );
    await lost;
    assert.deepEqual(await pool.query('SELECT 1 AS n'), [{ n: 1 }]);
  });

  test('a server that no longer answers is given up, and its connection with it', async () => {
    const pool = poolFor(await newDatabase(), { maxConnections: 1, statementTimeoutMs: 200 });
    const [backend] = await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const { pid = 0 } = backend ?? {};
    process.kill(pid, 'SIGSTOP');
    try {
      await assert.rejects(pool.query('SELECT 1'), is('deadline_exceeded', 'NO_ANSWER', true));
      assert.deepEqual(await pool.query('SELECT pg_backend_pid() <> $1 AS another', [pid]), [
        { another: true },
      ]);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  test('after stop it refuses', async () => {
    const pool = poolFor(await newDatabase());
    await pool.start();
    await pool.stop();
    await pool.stop();
    await assert.rejects(pool.query('SELECT 1'), is('unavailable', 'POOL_STOPPED', false));
  });
});

describe('transaction', () => {
  test('commits what resolved and undoes what rejected', async () => {
    const pool = poolFor(await newDatabase());
    await pool.execute('CREATE TABLE t (id int)');
    assert.equal(await pool.transaction(async (sql) => sql.execute('INSERT INTO t VALUES (1)')), 1);
    const mistake = new Error('a mistake');
    const failing = pool.transaction(async (sql) => {
      await sql.execute('INSERT INTO t VALUES (2)');
      throw mistake;
    });
    await assert.rejects(failing, mistake);
    assert.deepEqual(await pool.query('SELECT id FROM t'), [{ id: 1 }]);
  });

  test('a swallowed error does not pass for a commit', async () => {
    const pool = poolFor(await newDatabase());
    await pool.execute('CREATE TABLE t (id int PRIMARY KEY)');
    const doomed = pool.transaction(async (sql) => {
      await sql.execute('INSERT INTO t VALUES (1)');
      await sql.execute('INSERT INTO t VALUES (1)').catch(() => {});
    });
    await assert.rejects(doomed, is('aborted', 'TRANSACTION_DOOMED'));
    assert.deepEqual(await pool.query('SELECT id FROM t'), []);
  });

  test('write skew is refused under serializable, and gone when the work runs again', async () => {
    const pool = poolFor(await newDatabase());
    await pool.execute(
      'CREATE TABLE on_call (name text, present boolean); INSERT INTO on_call VALUES ($$a$$, true), ($$b$$, true)',
    );
    let both = 0;
    const leave = (name: string, attempts: number) =>
      pool.transaction(
        async (sql) => {
          const [row] = await sql.query<{ n: number }>('SELECT count(*) AS n FROM on_call WHERE present');
          both += 1;
          while (both < 2) await sleep(runtime.timers, 5);
          if ((row?.n ?? 0) > 1)
            await sql.execute('UPDATE on_call SET present = false WHERE name = $1', [name]);
        },
        { isolation: 'serializable', attempts },
      );
    const results = await Promise.allSettled([leave('a', 1), leave('b', 1)]);
    const failed = results.filter((result) => result.status === 'rejected');
    assert.equal(failed.length, 1);
    is('aborted', 'SERIALIZATION_FAILURE')(failed[0]?.reason);
    await pool.execute('UPDATE on_call SET present = true');
    both = 0;
    await Promise.all([leave('a', 5), leave('b', 5)]);
    assert.deepEqual(await pool.query('SELECT count(*) AS n FROM on_call WHERE present'), [{ n: 1 }]);
  });
});

describe('migrate', () => {
  const steps: readonly Migration[] = [
    { id: '1-orders', sql: 'CREATE TABLE orders (id int); CREATE INDEX ON orders (id)' },
    { id: '2-total', sql: 'ALTER TABLE orders ADD COLUMN total bigint' },
  ];

  test('runs what is missing, in order, once', async () => {
    const pool = poolFor(await newDatabase());
    assert.deepEqual(await migrate(pool, 'shop', steps.slice(0, 1)), { applied: ['1-orders'], ahead: [] });
    assert.deepEqual(await migrate(pool, 'shop', steps), { applied: ['2-total'], ahead: [] });
    assert.deepEqual(await migrate(pool, 'shop', steps), { applied: [], ahead: [] });
    assert.deepEqual(await migrate(pool, 'shop', steps.slice(0, 1)), { applied: [], ahead: ['2-total'] });
    await pool.execute('INSERT INTO orders VALUES (1, 2)');
  });

  test('eight instances that start at once agree', async () => {
    const url = await newDatabase();
    const slow = [...steps, { id: '3-slow', sql: 'SELECT pg_sleep(0.2); INSERT INTO orders VALUES (1, 1)' }];
    const reports = await Promise.all(Array.from({ length: 8 }, () => migrate(poolFor(url), 'shop', slow)));
    assert.deepEqual(
      reports.flatMap((report) => report.applied),
      ['1-orders', '2-total', '3-slow'],
    );
    assert.deepEqual(await poolFor(url).query('SELECT count(*) AS n FROM orders'), [{ n: 1 }]);
  });

  test('sets do not know of each other', async () => {
    const pool = poolFor(await newDatabase());
    await migrate(pool, 'shop', steps);
    assert.deepEqual(
      await migrate(pool, 'outbox', [{ id: '1-orders', sql: 'CREATE TABLE outbox (id int)' }]),
      {
        applied: ['1-orders'],
        ahead: [],
      },
    );
  });

  test('a step that fails undoes the run and is named', async () => {
    const pool = poolFor(await newDatabase());
    const broken = [...steps, { id: '3-broken', sql: 'ALTER TABLE nowhere ADD COLUMN x int' }];
    await assert.rejects(
      migrate(pool, 'shop', broken),
      (thrown) => is('internal', 'MIGRATION_FAILED')(thrown) && /3-broken/.test(String(thrown)),
    );
    assert.deepEqual(await pool.query("SELECT to_regclass('orders') AS orders"), [{ orders: null }]);
  });

  test('an edited or reordered past is refused', async () => {
    const pool = poolFor(await newDatabase());
    await migrate(pool, 'shop', steps);
    const edited = steps.map((step) => ({ ...step, sql: `${step.sql} ` }));
    await assert.rejects(migrate(pool, 'shop', edited), is('failed_precondition', 'MIGRATION_CHANGED'));
    await assert.rejects(
      migrate(pool, 'shop', steps.toReversed()),
      is('failed_precondition', 'MIGRATION_ORDER'),
    );
    await assert.rejects(
      migrate(pool, 'shop', [...steps, ...steps]),
      is('failed_precondition', 'MIGRATION_ORDER'),
    );
  });
});

async function untilSome(pool: SqlPool, text: string): Promise<void> {
  const limit = runtime.clock.nowMs() + 10_000;
  while ((await pool.query(text)).length === 0) {
    assert.ok(runtime.clock.nowMs() < limit, `nothing within 10 s: ${text}`);
    await sleep(runtime.timers, 10);
  }
}
