// What an event store must do although many write, readers are early, and the server dies.
import assert from 'node:assert/strict';
import { type EventStore, EventSubscription, type NewEvent } from '@heddle/data/eventstore';
import { HeddleError, sleep } from '@heddle/kernel';
import { until } from '@heddle/messaging/testing';
import { type Sql, type SqlPool, sqlPool } from '@heddle/sql';
import type { PostgresServer } from '../messaging/postgres.ts';
import { quietRuntime } from '../messaging/stage.ts';

/** Where a case runs: a database of its own. */
export interface EventStage {
  readonly server: PostgresServer;
  readonly url: string;
  readonly pool: SqlPool;
  readonly store: EventStore;
}

/** One thing that the store must do. `alone`: it does something to the server. */
export interface EventCase {
  readonly name: string;
  readonly alone?: boolean;
  run(stage: EventStage): Promise<void>;
}

const happened = (number: number): NewEvent => ({ type: 'happened', data: { number } });
const times = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));
const { random } = quietRuntime;

/** What an append of the event after so many others expects. */
const versionOf = (count: number): number | 'noStream' => (count === 0 ? 'noStream' : count);

async function isConflict(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (thrown) {
    if (HeddleError.from(thrown).reason === 'VERSION_CONFLICT') return true;
    throw thrown;
  }
}

/** Every position that is there, by reading page after page. */
async function positions(store: EventStore): Promise<readonly number[]> {
  const all: number[] = [];
  for (;;) {
    const page = await store.readAll({ after: all.at(-1) ?? 0, limit: 10_000 });
    if (page.length === 0) return all;
    all.push(...page.map(({ position }) => position));
  }
}

/** Writers whose transactions take their time after the append, and some of which roll back. */
async function lateCommitters(
  pool: SqlPool,
  writers: number,
  each: number,
  append: (sql: Sql, writer: number, at: number) => Promise<unknown>,
): Promise<number> {
  let committed = 0;
  const write = async (writer: number): Promise<void> => {
    for (let at = 0; at < each; at += 1) {
      const work = pool.transaction(async (sql) => {
        await append(sql, writer, at);
        await sql.query('SELECT pg_sleep($1::float8)', [random.float() * 0.004]);
        if (random.float() < 0.1) throw new Error('rolled back');
      });
      await work.then(
        () => (committed += 1),
        () => {},
      );
    }
  };
  await Promise.all(times(writers, write));
  return committed;
}

/** The cases, in the order of the specification. */
export const eventCases: readonly EventCase[] = [
  {
    name: '64 writers at once: nothing is lost, nothing is out of order, no position is missing',
    run: async ({ store }) => {
      await Promise.all(
        times(64, async (writer) => {
          for (let at = 0; at < 15; at += 1) await store.append(`s-${writer}`, [happened(at)], versionOf(at));
        }),
      );
      for (const writer of times(64, (at) => at)) {
        const numbers = (await store.read(`s-${writer}`)).map(
          ({ data }) => (data as { number: number }).number,
        );
        assert.deepEqual(
          numbers,
          times(15, (at) => at),
        );
      }
      assert.deepEqual(
        await positions(store),
        times(960, (at) => at + 1),
      );
    },
  },
  {
    name: 'of 20 appends that race for one version exactly one wins, and the others are told the version',
    run: async ({ store }) => {
      for (let round = 0; round < 10; round += 1) {
        const lost = await Promise.all(
          times(20, (at) => isConflict(store.append('s', [happened(at)], versionOf(round)))),
        );
        assert.equal(lost.filter((conflict) => !conflict).length, 1);
        assert.equal(await store.version('s'), round + 1);
      }
    },
  },
  {
    name: 'an append that is repeated with its ids is stored once',
    run: async ({ store }) => {
      const events = times(3, (at) => ({ ...happened(at), id: `event-${at}` }));
      const [first, ...others] = await Promise.all(times(8, () => store.append('s', events)));
      assert.equal((await store.read('s')).length, 3);
      assert.equal([first, ...others].filter((each) => each?.repeated === false).length, 1);
    },
  },
  {
    name: 'a subscriber never skips a late committer: 12 writers in long transactions, a tenth rolled back',
    run: async ({ store, url }) => {
      const pool = sqlPool(url, { runtime: quietRuntime, maxConnections: 14 });
      const seen: number[] = [];
      const subscription = new EventSubscription(store, { name: 'reader', pollMs: 5 }, async (events) => {
        seen.push(...events.map(({ position }) => position));
      });
      await subscription.start();
      const committed = await lateCommitters(pool, 12, 20, (sql, writer, at) =>
        store.appendIn(sql, `s-${writer}-${at}`, [happened(at), happened(at)]),
      );
      await until(quietRuntime, 'all are seen', 30_000, () => seen.length >= committed * 2);
      await subscription.stop();
      await pool.stop();
      assert.deepEqual(seen, await positions(store));
      assert.equal(seen.length, committed * 2);
      assert.deepEqual(
        seen,
        times(seen.length, (at) => at + 1),
        'without a gap',
      );
    },
  },
  {
    name: 'the cursor that this store does not use, a sequence read as it grows, misses late committers',
    run: async ({ url, pool: reader }) => {
      await reader.execute('CREATE TABLE naive (position bigserial PRIMARY KEY)');
      const pool = sqlPool(url, { runtime: quietRuntime, maxConnections: 14 });
      let cursor = 0;
      let seen = 0;
      let writing = true;
      const read = async (): Promise<void> => {
        for (let last = false; !last; ) {
          last = !writing;
          const rows = await reader.query<{ position: number }>(
            'SELECT position FROM naive WHERE position > $1 ORDER BY position',
            [cursor],
          );
          cursor = rows.at(-1)?.position ?? cursor;
          seen += rows.length;
        }
      };
      const reading = read();
      const committed = await lateCommitters(pool, 12, 60, (sql) =>
        sql.execute('INSERT INTO naive DEFAULT VALUES'),
      );
      writing = false;
      await reading;
      await pool.stop();
      assert.ok(seen < committed, `it saw all ${committed}: then the case before shows nothing`);
    },
  },
  {
    name: 'a prepared transaction that is in doubt holds up neither appends nor subscribers',
    run: async ({ store, pool }) => {
      await pool.execute('CREATE TABLE elsewhere (id int)');
      const gid = `in-doubt-${random.uuid()}`;
      await pool.execute(`BEGIN; INSERT INTO elsewhere VALUES (1); PREPARE TRANSACTION '${gid}'`);
      try {
        const seen: number[] = [];
        const subscription = new EventSubscription(store, { name: 'reader', pollMs: 20 }, async (events) => {
          seen.push(...events.map(({ position }) => position));
        });
        await subscription.start();
        await Promise.all(times(30, (at) => store.append(`s-${at}`, [happened(at)])));
        await until(quietRuntime, 'all are seen', 15_000, () => seen.length === 30);
        await subscription.stop();
      } finally {
        await pool.execute(`ROLLBACK PREPARED '${gid}'`);
      }
    },
  },
  {
    name: 'NOTIFY only wakes: without it a subscriber sees the same, later',
    run: async ({ store, pool }) => {
      const seen: number[] = [];
      const subscription = new EventSubscription(store, { name: 'reader', pollMs: 50 }, async (events) => {
        seen.push(...events.map(({ position }) => position));
      });
      await subscription.start();
      // In a transaction of its own and with no `wake`: nobody is told.
      await pool.transaction((sql) => store.appendIn(sql, 's', times(5, happened)));
      await until(quietRuntime, 'all are seen', 15_000, () => seen.length === 5);
      await subscription.stop();
    },
  },
  {
    name: '100,000 events are appended and read again in order',
    run: async ({ store }) => {
      let number = 0;
      while (number < 100_000)
        await Promise.all(
          times(4, async () => {
            const from = number;
            number += 500;
            await store.append(
              `s-${from}`,
              times(500, (at) => happened(from + at)),
              'noStream',
            );
          }),
        );
      const all = await positions(store);
      assert.equal(all.length, 100_000);
      assert.deepEqual([all[0], all.at(-1)], [1, 100_000]);
    },
  },
  {
    name: 'kill -9 of the server under 8 writers: what was acknowledged is there, once and in order',
    alone: true,
    run: async ({ store, server }) => {
      const acknowledged = new Map<string, number>();
      let stop = false;
      const write = async (writer: number): Promise<void> => {
        const stream = `s-${writer}`;
        for (let at = 0; !stop; at += 1) {
          const event = { ...happened(at), id: `${stream}-${at}` };
          for (let done = false; !done; )
            done = await store.append(stream, [event]).then(
              () => true,
              async () => {
                await sleep(quietRuntime.timers, 50);
                return false;
              },
            );
          acknowledged.set(stream, at + 1);
        }
      };
      const writing = Promise.all(times(8, write));
      for (let kill = 0; kill < 3; kill += 1) {
        await sleep(quietRuntime.timers, 100 + random.float() * 300);
        await server.faults.kill?.();
        await server.faults.restart?.();
      }
      stop = true;
      await writing;
      for (const [stream, count] of acknowledged) {
        const numbers = (await store.read(stream, { limit: 10_000 })).map(
          ({ data }) => (data as { number: number }).number,
        );
        assert.deepEqual(
          numbers,
          times(count, (at) => at),
        );
      }
      const all = await positions(store);
      assert.deepEqual(
        all,
        times(all.length, (at) => at + 1),
        'without a gap',
      );
    },
  },
];
