import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import fc from 'fast-check';
import { handle, load } from './aggregate/aggregate.ts';
import { type Decider, evolved } from './aggregate/decider.ts';
import type { NewEvent } from './events/event.ts';
import { happened, reasonOf, stores } from './testing/node/store-stage.ts';

const withStore = stores();

async function conflictOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    assert.deepEqual([error.code, error.reason], ['aborted', 'VERSION_CONFLICT'], error.message);
    return error.details[0]?.value;
  }
  return assert.fail('expected a conflict');
}

describe('append and read', () => {
  test(
    'events come back as they were, in both directions, with version and position',
    withStore(async ({ store }) => {
      const metadata = { user: 'ü' };
      await store.append('order-1', [{ type: 'placed', data: { total: 7, of: ['é', null] }, metadata }]);
      const appended = await store.append('order-1', [happened('paid'), happened('shipped')], 1);
      assert.deepEqual(appended, { version: 3, position: 3, repeated: false });
      const events = await store.read('order-1');
      assert.deepEqual(
        events.map(({ type, version, position }) => [type, version, position]),
        [
          ['placed', 1, 1],
          ['paid', 2, 2],
          ['shipped', 3, 3],
        ],
      );
      assert.deepEqual(events[0]?.data, { total: 7, of: ['é', null] });
      assert.deepEqual(events[0]?.metadata, metadata);
      const back = await store.read('order-1', { direction: 'backward', limit: 2 });
      assert.deepEqual(
        back.map(({ version }) => version),
        [3, 2],
      );
      assert.deepEqual((await store.readAll({ after: 1, types: ['shipped'] })).length, 1);
      assert.deepEqual(await store.read('nobody'), []);
      assert.equal(await store.version('order-1'), 3);
    }),
  );

  test(
    'an append that expects something else is refused with how it is',
    withStore(async ({ store }) => {
      await store.append('s', [happened('a')], 'noStream');
      await store.append('s', [happened('b')], 1);
      await store.append('s', [happened('c')], 'exists');
      assert.deepEqual(await conflictOf(store.append('s', [happened('x')], 1)), {
        stream: 's',
        expected: 1,
        actual: 3,
      });
      assert.deepEqual(await conflictOf(store.append('s', [happened('x')], 'noStream')), {
        stream: 's',
        expected: 'noStream',
        actual: 3,
      });
      assert.deepEqual(await conflictOf(store.append('t', [happened('x')], 'exists')), {
        stream: 't',
        expected: 'exists',
        actual: 0,
      });
      assert.equal((await store.readAll()).length, 3);
    }),
  );

  test(
    'the same events again are the same append; an id with other content is refused',
    withStore(async ({ store }) => {
      const events = [happened('a', { n: 1 }, 'e-1'), happened('b', { n: 2 }, 'e-2')];
      const first = await store.append('s', events, 'noStream');
      assert.deepEqual(await store.append('s', events, 'noStream'), { ...first, repeated: true });
      assert.equal(await reasonOf(store.append('s', [happened('a', { n: 9 }, 'e-1')])), 'EVENT_ID_TAKEN');
      assert.equal(await reasonOf(store.append('t', [happened('a', { n: 1 }, 'e-1')])), 'EVENT_ID_TAKEN');
      // At one time: one is stored, the other is the same or refused, and neighbours do not suffer.
      const outcomes = await Promise.allSettled([
        store.append('u', [happened('a', {}, 'e-3')]),
        store.append('v', [happened('a', {}, 'e-3')]),
        store.append('w', [happened('a')]),
      ]);
      assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), [
        'fulfilled',
        'fulfilled',
        'rejected',
      ]);
    }),
  );

  test(
    'what cannot be stored is refused with every problem named',
    withStore(async ({ store }) => {
      const bad: NewEvent[] = [
        { type: '', data: 1n },
        { type: 'x', data: 'a\0b' },
        { type: 'y', data: undefined },
      ];
      await assert.rejects(store.append('a\nb', bad, 0), (error: HeddleError) => {
        assert.equal(error.reason, 'BAD_EVENTS');
        for (const field of ['stream', 'expectedVersion', '[0].type', '[0].data', '[1].data', '[2].data'])
          assert.ok(error.message.includes(field), `${field} in ${error.message}`);
        return true;
      });
      await store.append('escaped', [happened('x', 'a backslash before u0000: \\u0000')]);
      assert.equal((await store.read('escaped'))[0]?.data, 'a backslash before u0000: \\u0000');
    }),
  );

  test(
    'an archived stream is read and takes no more; a deleted one is gone and does not come back',
    withStore(async ({ store }) => {
      await store.append('s', [happened('a')]);
      await store.archive('s');
      assert.equal(await reasonOf(store.append('s', [happened('b')])), 'STREAM_CLOSED');
      assert.equal((await store.read('s')).length, 1);
      await store.delete('s');
      assert.deepEqual(await store.read('s'), []);
      assert.equal(await reasonOf(store.append('s', [happened('b')], 'noStream')), 'STREAM_CLOSED');
    }),
  );

  test(
    'an append in a transaction of the caller is its part',
    withStore(async ({ store, pool }) => {
      await assert.rejects(
        pool.transaction(async (sql) => {
          await store.appendIn(sql, 's', [happened('never')]);
          throw new Error('changed my mind');
        }),
        /changed my mind/,
      );
      assert.deepEqual(await store.read('s'), []);
      await pool.transaction((sql) => store.appendIn(sql, 's', [happened('a')], 'noStream'));
      assert.equal((await store.read('s'))[0]?.position, 1);
    }),
  );

  test(
    'of 20 that race for one version, one wins',
    withStore(async ({ store }) => {
      await store.append('s', [happened('a')]);
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, at) => store.append('s', [happened(`racer ${at}`)], 1)),
      );
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
      assert.equal(await store.version('s'), 2);
    }),
  );
});

describe('readers', () => {
  test(
    '64 writers on 8 connections, some slow, some that roll back: a reader that follows positions misses nothing',
    withStore(async ({ store, pool, open }) => {
      const others = [store, await open(), await open()];
      const seen: number[] = [];
      let writing = true;
      const reading = (async () => {
        let after = 0;
        for (;;) {
          const last = !writing;
          const events = await store.readAll({ after, limit: 500 });
          seen.push(...events.map(({ position }) => position));
          after = events.at(-1)?.position ?? after;
          if (last && events.length === 0) return;
        }
      })();
      const committed = new Set<string>();
      await Promise.all(
        Array.from({ length: 64 }, async (_, writer) => {
          const own = others[writer % others.length] ?? store;
          for (let step = 1; step <= 10; step += 1) {
            const id = `${writer}-${step}`;
            if (writer % 8 !== 0) {
              await own.append(`stream-${writer % 16}`, [happened('e', { writer, step }, id)]);
              committed.add(id);
              continue;
            }
            // A transaction of its own, in which more happens after the append, and which may roll back.
            const rollsBack = step % 3 === 0;
            await pool
              .transaction(async (sql) => {
                await own.appendIn(sql, `stream-${writer % 16}`, [happened('e', { writer, step }, id)]);
                await sql.query('SELECT pg_sleep(0.002)');
                if (rollsBack) throw new Error('rolled back');
              })
              .then(
                () => committed.add(id),
                () => {},
              );
          }
        }),
      );
      writing = false;
      await reading;
      const stored = await store.readAll({ limit: 10_000 });
      assert.deepEqual(new Set(stored.map(({ id }) => id)), committed);
      assert.deepEqual(
        seen,
        stored.map(({ position }) => position),
      );
      // Without gaps, and in each stream and for each writer in order.
      assert.deepEqual(
        seen,
        seen.map((_, at) => at + 1),
      );
      const steps = new Map<string, number>();
      for (const { stream, version, data } of stored) {
        assert.equal(version, (steps.get(stream) ?? 0) + 1);
        steps.set(stream, version);
        const { writer, step } = data as { writer: number; step: number };
        assert.ok(step > (steps.get(`w${writer}`) ?? 0));
        steps.set(`w${writer}`, step);
      }
    }),
  );

  test(
    'readers do not wait for a prepared transaction that is in doubt, here or in another database',
    withStore(async ({ store, pool }) => {
      await pool.execute('CREATE TABLE other (n integer)');
      await pool.execute("BEGIN; INSERT INTO other VALUES (1); PREPARE TRANSACTION 'in-doubt'");
      try {
        await store.append('s', [happened('a')]);
        assert.equal((await store.readAll()).length, 1);
      } finally {
        await pool.execute("ROLLBACK PREPARED 'in-doubt'");
      }
    }),
  );
});

type Change = NewEvent<'added', { n: number }> | NewEvent<'cleared', Record<string, never>>;
const sum: Decider<{ total: number; count: number }, number | 'clear', Change> = {
  initial: { total: 0, count: 0 },
  decide: (command) =>
    command === 'clear'
      ? [{ type: 'cleared', data: {} }]
      : command === 0
        ? []
        : [{ type: 'added', data: { n: command } }],
  evolve: (state, event) =>
    event.type === 'added'
      ? { total: state.total + event.data.n, count: state.count + 1 }
      : { total: 0, count: state.count + 1 },
  snapshot: { every: 3, schema: 'sum 1' },
};

describe('aggregates', () => {
  test(
    'snapshot and tail give what plain replay gives, whatever was done',
    withStore(async ({ store }) => {
      let runs = 0;
      const commands = fc.array(fc.oneof(fc.integer({ min: -3, max: 9 }), fc.constant('clear' as const)), {
        minLength: 1,
        maxLength: 12,
      });
      await fc.assert(
        fc.asyncProperty(commands, async (given) => {
          const stream = `sum-${runs++}`;
          for (const command of given) await handle(store, sum, stream, command);
          const loaded = await load(store, sum, stream);
          const all = await store.read(stream);
          assert.deepEqual(loaded, { state: evolved(sum, all), version: all.length });
          const other = { ...sum, snapshot: { every: 3, schema: 'sum 2' } };
          assert.deepEqual(await load(store, other, stream), loaded);
        }),
        { numRuns: 20 },
      );
    }),
  );

  test(
    'commands that race are decided anew: none is lost',
    withStore(async ({ store }) => {
      await Promise.all(Array.from({ length: 10 }, () => handle(store, sum, 'one', 5, { attempts: 20 })));
      assert.deepEqual((await load(store, sum, 'one')).state, { total: 50, count: 10 });
    }),
  );

  test(
    'old events are brought to the shape of today when they are read, and stay as they were',
    withStore(
      async ({ store, pool }) => {
        await store.append('s', [{ type: 'named', data: { name: 'Ada Lovelace' } }]);
        const [event] = await store.read('s');
        assert.deepEqual(
          [event?.data, event?.schemaVersion],
          [{ first: 'Ada', last: 'Lovelace', born: 0 }, 3],
        );
        const [row] = await pool.query<{ data: unknown }>('SELECT data FROM heddle_events');
        assert.deepEqual(row?.data, { name: 'Ada Lovelace' });
      },
      {
        upcasts: {
          named: {
            1: ({ name }: { name: string }) => ({ first: name.split(' ')[0], last: name.split(' ')[1] }),
            2: (data: object) => ({ ...data, born: 0 }),
          },
        },
      },
    ),
  );

  test('a key that was thrown away makes the data unreadable', async () => {
    const keys = new Map([['s', 3]]);
    const cipher = {
      seal: async (stream: string, data: unknown) => ({ sealed: JSON.stringify(data), by: keys.get(stream) }),
      open: async (stream: string, data: unknown) =>
        keys.has(stream) ? JSON.parse((data as { sealed: string }).sealed) : { shredded: true },
    };
    const body = withStore(
      async ({ store }) => {
        await store.append('s', [happened('a', { secret: 1 })]);
        assert.deepEqual((await store.read('s'))[0]?.data, { secret: 1 });
        keys.delete('s');
        assert.deepEqual((await store.read('s'))[0]?.data, { shredded: true });
      },
      { cipher },
    );
    await body();
  });
});
