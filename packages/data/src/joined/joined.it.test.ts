import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { drizzle } from 'drizzle-orm/node-postgres';
import { sql as drizzleSql } from 'drizzle-orm';
import { Kysely, PostgresDialect, sql as kyselySql } from 'kysely';
import pg from 'pg';
import { Call } from '@heddle/kernel';
import type { Sql } from '@heddle/sql';
import { type Database, databases, runtime } from '../testing/node/databases.ts';
import { passBarrier, prepareBarrier } from '../tx/barrier/index.ts';
import { saga, SagaEngine } from '../tx/saga/index.ts';
import { sqlOfDrizzle } from './drizzle.ts';
import { sqlOfKysely } from './kysely.ts';
import { sqlOfPg } from './pg.ts';

let server: Awaited<ReturnType<typeof databases>>;
let database: Database;
let own: pg.Pool;
let engine: SagaEngine;
const definition = saga<string>('greet')
  .step('greet', { run: async ({ input }) => `hello ${input}` })
  .build();

before(async () => {
  server = await databases();
  database = await server.create();
  await prepareBarrier(database.pool);
  await database.pool.execute('CREATE TABLE orders (name text)');
  own = new pg.Pool({ connectionString: database.url, max: 3 });
  engine = new SagaEngine({ runtime, ...database, definitions: [definition], pollMs: 20 });
  await engine.start();
});
after(async () => {
  await engine.stop();
  await own.end();
  await database.close();
  await server.stop();
});

/** Runs a transaction of the user's: writes an order by their means, and gives what is ours to `work`. */
type Own = (name: string, work: (sql: Sql) => Promise<void>) => Promise<void>;

const byPg: Own = async (name, work) => {
  const client = await own.connect();
  try {
    await client.query('BEGIN');
    await client.query('INSERT INTO orders VALUES ($1)', [name]);
    await work(sqlOfPg(client));
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
};

const byDrizzle: Own = (name, work) =>
  drizzle({ client: own }).transaction(async (tx) => {
    await tx.execute(drizzleSql`INSERT INTO orders VALUES (${name})`);
    await work(sqlOfDrizzle(tx));
  });

const byKysely: Own = (name, work) =>
  new Kysely<{ orders: { name: string } }>({ dialect: new PostgresDialect({ pool: own }) })
    .transaction()
    .execute(async (tx) => {
      await kyselySql`INSERT INTO orders VALUES (${name})`.execute(tx);
      await work(sqlOfKysely(tx));
    });

for (const [name, run] of Object.entries({ pg: byPg, drizzle: byDrizzle, kysely: byKysely })) {
  test(`a saga and a barrier join a transaction of ${name}: they are there if it commits, and not otherwise`, async () => {
    const joined = (id: string) => async (sql: Sql) => {
      await engine.beginIn(sql, definition, id, { id });
      const passed = await passBarrier(sql, { tx: id, branch: 'b', op: 'run' }, async () => 'done');
      assert.equal(passed.done, true);
      assert.deepEqual(await sql.query('SELECT $2::text AS b, $1::text[] AS a', [['x', 'y'], 'z']), [
        { b: 'z', a: ['x', 'y'] },
      ]);
    };
    await run(name, joined(name));
    const call = Call.root(runtime, runtime.clock.nowMs() + 10_000);
    assert.equal((await engine.outcome(name, call)).state.steps['greet']?.result, `hello ${name}`);
    const refused = run(`${name} no`, async (sql) => {
      await joined(`${name} no`)(sql);
      throw new Error('changed my mind');
    });
    await assert.rejects(refused, /changed my mind/);
    await assert.rejects(engine.store.get(`${name} no`), { reason: 'NO_SAGA' });
    const rows = 'SELECT name FROM orders WHERE starts_with(name, $1)';
    assert.deepEqual(await database.pool.query(rows, [name]), [{ name }]);
    const twice = run(name, (sql) =>
      sql
        .execute('INSERT INTO heddle_barrier (tx, branch, op, by) VALUES ($1, $2, $3, $3)', [
          name,
          'b',
          'run',
        ])
        .then(() => {}),
    );
    await assert.rejects(twice, { code: 'already_exists', reason: 'UNIQUE_VIOLATION' });
  });
}
