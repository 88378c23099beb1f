// An order on a real PostgreSQL, as a service of one's own does it: HTTP, a saga, a message, and statements in each of them. Nobody
// hands a call to the statements; they are found in the trace all the same, each below what it was done for.
import assert from 'node:assert/strict';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { saga, SagaEngine } from '@heddle/data/saga';
import { type Runtime, sleep, type Span } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { broker } from '@heddle/messaging';
import { postgresEngine } from '@heddle/messaging/postgres';
import { httpServer } from '@heddle/rpc';
import { embeddedPostgres, sqlPool } from '@heddle/sql';
import { emptyBody, Fields } from '@heddle/wire';

const spans: Span[] = [];
const sink = { sampleRatio: 1, slowMs: 1000, take: (span: Span) => void spans.push(span) };
const runtime: Runtime = { ...nodeRuntime({ name: 'test' }), log: () => {}, spans: sink };

test('statements belong to the request, the step of the saga and the handler that they are done for', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-one-trace-'));
  const database = embeddedPostgres({ runtime, folder });
  await database.start();
  const url = await database.createDatabase('orders');
  const pool = sqlPool(url, { runtime });
  await pool.execute(
    'CREATE TABLE orders (id text); CREATE TABLE payments (id text); CREATE TABLE parcels (id text)',
  );
  const bus = broker(await postgresEngine({ runtime, pool, url }), { runtime, source: 'shop' });
  await bus.createTopic('paid');
  await bus.subscribe('paid', { group: 'shipping' }, async ({ message }) => {
    await pool.execute('INSERT INTO parcels VALUES ($1)', [message.key]);
  });
  const checkout = saga<{ id: string }>('checkout')
    .step('pay', {
      run: async ({ input: { id }, call }) => {
        await pool.transaction((sql) => sql.execute('INSERT INTO payments VALUES ($1)', [id]));
        await bus.publish({ topic: 'paid', key: id, payload: new Uint8Array() }, { call });
      },
    })
    .build();
  const sagas = new SagaEngine({ runtime, pool, url, definitions: [checkout] });
  await sagas.start();
  const server = httpServer(
    async (_req, call) => {
      await pool.execute('INSERT INTO orders VALUES ($1)', ['o-1']);
      await sagas.begin(checkout, { id: 'o-1' }, { call });
      return { status: 202, fields: new Fields(), body: emptyBody };
    },
    { runtime },
  );
  await server.start();
  try {
    const answer = await fetch(`http://127.0.0.1:${server.address.port}/orders`, { method: 'POST' });
    assert.equal(answer.status, 202);
    const names = [
      'POST',
      'INSERT orders',
      'saga checkout/pay',
      'INSERT payments',
      'publish paid',
      'process paid',
    ];
    await Promise.all([...names, 'INSERT parcels'].map(ended));
  } finally {
    await server.stop();
    await sagas.stop();
    await bus.close();
    await pool.stop();
    await database.stop();
    await rm(await realpath(join(folder, 'server')), { recursive: true, force: true });
    await rm(folder, { recursive: true, force: true });
  }
  assert.deepEqual(wayTo('INSERT orders'), ['INSERT orders', 'POST']);
  assert.deepEqual(wayTo('INSERT payments'), ['INSERT payments', 'saga checkout/pay', 'POST']);
  assert.deepEqual(wayTo('INSERT parcels'), [
    'INSERT parcels',
    'process paid',
    'publish paid',
    'saga checkout/pay',
    'POST',
  ]);
  const [request] = spans.filter(({ name }) => name === 'POST');
  for (const name of ['INSERT orders', 'INSERT payments', 'INSERT parcels'])
    assert.equal(spanOf(name)?.trace.traceId, request?.trace.traceId, name);
});

function spanOf(name: string): Span | undefined {
  return spans.find((span) => span.name === name);
}

async function ended(name: string): Promise<void> {
  const { clock, timers } = runtime;
  const startMs = clock.nowMs();
  while (spanOf(name) === undefined) {
    if (clock.nowMs() - startMs > 60_000)
      throw new Error(`no span ${name} within 60 s, only ${spans.map((span) => span.name).join(', ')}`);
    await sleep(timers, 10);
  }
}

/** Its name, its parent's, and so on to the first. */
function wayTo(name: string): readonly string[] {
  const way: string[] = [];
  let span = spanOf(name);
  while (span !== undefined) {
    way.push(span.name);
    const { parentSpanId, trace } = span;
    span = spans.find((each) => each.trace.traceId === trace.traceId && each.trace.spanId === parentSpanId);
  }
  return way;
}
