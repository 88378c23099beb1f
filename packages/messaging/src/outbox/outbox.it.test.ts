import assert from 'node:assert/strict';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import {
  type EmbeddedPostgres,
  embeddedPostgres,
  type Sql,
  type SqlPool,
  sqlListener,
  sqlPool,
} from '@heddle/sql';
import { memoryEngine } from '../adapters/memory/index.ts';
import { broker } from '../bus/engine-broker.ts';
import type { Broker } from '../broker.ts';
import { inbox } from '../inbox/inbox.ts';
import { SqlInbox } from '../inbox/sql-inbox.ts';
import { rejects } from '../testing/recorder.ts';
import { until } from '../testing/broker-stage.ts';
import { Outbox } from './outbox.ts';
import { SqlOutbox } from './sql-outbox.ts';

const runtime: Runtime = { ...nodeRuntime({ name: 'test' }), log: () => {} };
let folder: string;
let server: EmbeddedPostgres;
let databases = 0;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-outbox-'));
  server = embeddedPostgres({ runtime, folder });
  await server.start();
});

after(async () => {
  await server.stop();
  await rm(await realpath(join(folder, 'server')), { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

interface Stage {
  readonly pool: SqlPool;
  readonly bus: Broker;
  readonly box: Outbox<Sql>;
  readonly count: () => Promise<number>;
}

async function withStage(run: (stage: Stage) => Promise<void>): Promise<void> {
  databases += 1;
  const url = await server.createDatabase(`d${databases}`);
  const pool = sqlPool(url, { runtime });
  const bus = broker(memoryEngine(runtime, { leaseMs: 600, pollMs: 50 }), { runtime, source: 'test' });
  await bus.createTopic('paid', { partitions: 2 });
  const listener = sqlListener(url, 'heddle_outbox', runtime);
  const store = new SqlOutbox({ pool, listener });
  await store.prepare();
  const box = new Outbox({ runtime, source: 'test', store, broker: bus, pollMs: 200 });
  const count = async (): Promise<number> =>
    (await pool.query<{ n: number }>('SELECT count(*) AS n FROM heddle_outbox WHERE parked IS NULL'))[0]?.n ??
    -1;
  try {
    await run({ pool, bus, box, count });
  } finally {
    await box.stop();
    await bus.close();
    await listener.close();
    await pool.stop();
  }
}

const paid = (text: string): { topic: string; key: string; payload: Uint8Array } => ({
  topic: 'paid',
  key: 'k',
  payload: new TextEncoder().encode(text),
});

test('what commits is sent in order, what rolls back is not', () =>
  withStage(async ({ box, bus, pool, count }) => {
    const seen: string[] = [];
    await bus.subscribe('paid', { group: 'mail' }, async ({ message }) => {
      seen.push(new TextDecoder().decode(message.payload));
    });
    box.start();
    await pool.transaction((sql) => box.publish(sql, [paid('1'), paid('2')]));
    await assert.rejects(
      pool.transaction(async (sql) => {
        await box.publish(sql, [paid('never')]);
        throw new Error('changed my mind');
      }),
      /changed my mind/,
    );
    await box.transaction((sql) => box.publish(sql, [paid('3')]));
    await until(runtime, 'three messages', 10_000, () => seen.length >= 3);
    assert.deepEqual(seen, ['1', '2', '3']);
    await until(runtime, 'an empty outbox', 10_000, async () => (await count()) === 0);
  }));

test('what can never be sent is refused, or put aside so that the others go on', () =>
  withStage(async ({ box, bus, pool, count }) => {
    const seen: string[] = [];
    await bus.createTopic('gone');
    await rejects(
      pool.transaction((sql) => box.publish(sql, [{ topic: 'nothing', payload: new Uint8Array() }])),
      'not_found',
      'NO_TOPIC',
    );
    await pool.transaction((sql) =>
      box.publish(sql, [paid('1'), { ...paid('lost'), topic: 'gone' }, paid('2')]),
    );
    await pool.execute("UPDATE heddle_outbox SET topic = 'deleted' WHERE topic = 'gone'");
    await bus.subscribe('paid', { group: 'mail' }, async ({ message }) => {
      seen.push(new TextDecoder().decode(message.payload));
    });
    box.start();
    await until(runtime, 'two messages', 10_000, () => seen.length >= 2);
    assert.deepEqual(seen, ['1', '2']);
    await until(runtime, 'an empty outbox', 10_000, async () => (await count()) === 0);
    const [parked] = await pool.query<{ parked: string }>('SELECT parked FROM heddle_outbox');
    assert.match(parked?.parked ?? '', /NO_TOPIC/);
  }));

test('with an inbox, a message that comes twice has one effect', () =>
  withStage(async ({ bus, pool }) => {
    await pool.execute('CREATE TABLE balance (amount bigint NOT NULL)');
    await pool.execute('INSERT INTO balance VALUES (0)');
    const records = new SqlInbox({ runtime, pool });
    await records.start();
    let handled = 0;
    await bus.subscribeBatch(
      'paid',
      { group: 'books' },
      inbox(records, 'books', async (_delivery, sql) => {
        handled += 1;
        await sql.execute('UPDATE balance SET amount = amount + 10');
      }),
    );
    const [first] = await bus.publishBatch([paid('1')]);
    await bus.publishBatch([first ?? assert.fail(), paid('2'), first ?? assert.fail()]);
    await until(runtime, 'no lag', 10_000, async () =>
      (await bus.lag('paid', 'books')).every(({ behind }) => behind === 0),
    );
    assert.deepEqual(await pool.query('SELECT amount FROM balance'), [{ amount: 20 }]);
    assert.equal(handled, 2);
    await records.stop();
  }));
