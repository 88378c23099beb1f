import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SqlPool } from '@heddle/sql';
import type { StoredEvent } from '../events/event.ts';
import { RunningProjection } from '../projection/projection.ts';
import { parkedEvents, retryParked } from './parked-events.ts';
import { EventSubscription } from './subscription.ts';
import { until } from '../../testing/node/databases.ts';
import { happened, reasonOf, stores } from '../testing/node/store-stage.ts';

const withStore = stores();

describe('subscriptions', () => {
  test(
    'from the past to the present without a seam, with the effects of each event exactly once',
    withStore(async ({ store, pool }) => {
      await pool.execute('CREATE TABLE seen (position bigint PRIMARY KEY, stream text, version bigint)');
      for (let at = 0; at < 50; at += 1) await store.append(`s${at % 5}`, [happened('e')]);
      const subscription = new EventSubscription(store, { name: 'copy', batch: 7 }, async (events, sql) => {
        for (const { position, stream, version } of events)
          await sql.execute('INSERT INTO seen VALUES ($1, $2, $3)', [position, stream, version]);
      });
      await subscription.start();
      await Promise.all(Array.from({ length: 50 }, (_, at) => store.append(`s${at % 5}`, [happened('e')])));
      await until('100 seen', async () => (await count(pool, 'seen')) === 100);
      await subscription.stop();
      const rows = await pool.query<{ position: number }>('SELECT position FROM seen ORDER BY position');
      assert.deepEqual(
        rows.map(({ position }) => position),
        rows.map((_, at) => at + 1),
      );
    }),
  );

  test(
    'slices are shared by processes; each stream stays in order',
    withStore(async ({ store, pool, open }) => {
      await pool.execute('CREATE TABLE seen (number bigserial, stream text, version bigint)');
      const work = (name: string) => (own: typeof store) =>
        new EventSubscription(own, { name, slices: 4, batch: 5, pollMs: 50 }, async (events, sql) => {
          for (const { stream, version } of events)
            await sql.execute('INSERT INTO seen (stream, version) VALUES ($1, $2)', [stream, version]);
        });
      const subscriptions = [store, await open()].map(work('copy'));
      for (const each of subscriptions) await each.start();
      await Promise.all(Array.from({ length: 200 }, (_, at) => store.append(`s${at % 10}`, [happened('e')])));
      await until('200 seen', async () => (await count(pool, 'seen')) === 200);
      for (const each of subscriptions) await each.stop();
      for (let stream = 0; stream < 10; stream += 1) {
        const rows = await pool.query<{ version: number }>(
          'SELECT version FROM seen WHERE stream = $1 ORDER BY number',
          [`s${stream}`],
        );
        assert.deepEqual(
          rows.map(({ version }) => version),
          rows.map((_, at) => at + 1),
        );
      }
      assert.equal(
        await reasonOf(new EventSubscription(store, { name: 'copy' }, async () => {}).start()),
        'SLICES_DIFFER',
      );
    }),
  );

  test(
    'an event that cannot be handled is parked, the others go on, and it can be handled later',
    withStore(async ({ store, pool }) => {
      await pool.execute('CREATE TABLE seen (type text)');
      const handler = async (
        events: readonly StoredEvent[],
        sql: { execute: SqlPool['execute'] },
      ): Promise<void> => {
        for (const { type } of events) {
          await sql.execute('INSERT INTO seen VALUES ($1)', [type]);
          if (type === 'bad' && !fixed) throw new Error('cannot be handled');
        }
      };
      let fixed = false;
      await store.append(
        's',
        ['a', 'bad', 'b'].map((type) => happened(type)),
      );
      const options = { name: 'copy', attempts: 2, backoff: { baseMs: 1, maxMs: 2 } };
      const subscription = new EventSubscription(store, options, handler);
      await subscription.start();
      await until('two seen', async () => (await count(pool, 'seen')) === 2);
      const [parked] = await parkedEvents(store, 'copy');
      assert.equal(parked?.event.type, 'bad');
      assert.match(parked?.error ?? '', /cannot be handled/);
      fixed = true;
      await retryParked(store, 'copy', parked?.event.position ?? 0, handler);
      assert.deepEqual(await parkedEvents(store, 'copy'), []);
      assert.equal(await count(pool, 'seen'), 3);
      await subscription.stop();
    }),
  );
});

test(
  'a projection is built anew beside the one in use, and readers see one or the other',
  withStore(async ({ store, pool }) => {
    const totals = (version: number, factor: number) => ({
      name: 'totals',
      version,
      sql: 'CREATE TABLE {table} (stream text PRIMARY KEY, total bigint NOT NULL)',
      types: ['added'],
      apply: async (events: readonly StoredEvent[], sql: { execute: SqlPool['execute'] }, table: string) => {
        for (const { stream, data } of events)
          await sql.execute(
            `INSERT INTO ${table} AS t VALUES ($1, $2) ON CONFLICT (stream) DO UPDATE SET total = t.total + $2`,
            [stream, (data as { n: number }).n * factor],
          );
      },
    });
    for (let at = 0; at < 20; at += 1)
      await store.append('s', [happened('added', { n: 1 }), happened('other')]);
    const first = new RunningProjection(store, totals(1, 1));
    await first.start();
    await first.caughtUp();
    assert.deepEqual(await pool.query('SELECT total FROM totals'), [{ total: 20 }]);
    let reading = true;
    const seen = new Set<number>();
    const reader = (async () => {
      while (reading)
        for (const { total } of await pool.query<{ total: number }>('SELECT total FROM totals'))
          seen.add(total);
    })();
    const second = new RunningProjection(store, totals(2, 10), { batch: 3 });
    await second.start();
    await second.caughtUp();
    await until('the new one is read', async () => seen.has(200));
    reading = false;
    await reader;
    assert.deepEqual(seen, new Set([20, 200]));
    await first.stop();
    await second.stop();
  }),
);

test(
  'a subscription in a process that is killed goes on elsewhere, where it was',
  withStore(async ({ store, pool, open }) => {
    await pool.execute('CREATE TABLE seen (position bigint)');
    await store.append(
      's',
      Array.from({ length: 30 }, () => happened('e')),
    );
    const doomed = await open();
    let taken = 0;
    const victim = new EventSubscription(
      doomed,
      { name: 'copy', batch: 10, handlerTimeoutMs: 3000 },
      async (events, sql, call) => {
        for (const { position } of events) await sql.execute('INSERT INTO seen VALUES ($1)', [position]);
        taken += 1;
        // The second batch is in hand when its connection dies, as with the process.
        if (taken === 2) await new Promise<void>((resolve) => call.onCancel(() => resolve()));
      },
    );
    await victim.start();
    await until('the second batch is in hand', async () => taken === 2);
    await pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
         AND state = 'idle in transaction' AND pid <> pg_backend_pid()`,
    );
    const heir = new EventSubscription(
      store,
      { name: 'copy', batch: 10, pollMs: 50 },
      async (events, sql) => {
        for (const { position } of events) await sql.execute('INSERT INTO seen VALUES ($1)', [position]);
      },
    );
    await heir.start();
    await until('all 30, once each', async () => (await count(pool, 'seen')) === 30);
    await heir.stop();
    await victim.stop();
    assert.equal((await pool.query('SELECT DISTINCT position FROM seen')).length, 30);
  }),
);

async function count(pool: SqlPool, table: string): Promise<number> {
  return (await pool.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))[0]?.n ?? -1;
}
