import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Call } from '@heddle/kernel';
import { type Database, databases, runtime, until } from '../../testing/node/databases.ts';
import { prepareBarrier } from '../barrier/index.ts';
import { SagaEngine } from '../saga/index.ts';
import { answerMessage, ReliableMessages } from './index.ts';

let server: Awaited<ReturnType<typeof databases>>;
let sender: Database;
let center: Database;
before(async () => {
  server = await databases();
  sender = await server.create();
  center = await server.create();
  await prepareBarrier(sender.pool);
  await sender.pool.execute('CREATE TABLE orders (name text)');
});
after(async () => {
  await sender.close();
  await center.close();
  await server.stop();
});

async function withMessages(
  run: (messages: ReliableMessages<string>, engine: SagaEngine, delivered: string[]) => Promise<void>,
): Promise<void> {
  const delivered: string[] = [];
  const messages = new ReliableMessages<string>({
    runtime,
    name: 'ordered',
    deliver: async (payload) => void delivered.push(payload),
    ask: (id) => answerMessage(sender.pool, id),
    askAfterMs: 100,
  });
  const engine = new SagaEngine({ runtime, ...center, definitions: [messages.definition], pollMs: 50 });
  await engine.start();
  await run(messages, engine, delivered);
  await engine.stop();
}

const call = (): Call => Call.root(runtime, runtime.clock.nowMs() + 15_000);
const rows = async (name: string): Promise<number> =>
  (await sender.pool.query('SELECT 1 FROM orders WHERE name = $1', [name])).length;

test('the message goes if the transaction commits, and not if it does not', () =>
  withMessages(async (messages, engine, delivered) => {
    const { id } = await messages.send(engine, sender.pool, 'tea', (sql) =>
      sql.execute('INSERT INTO orders VALUES ($1)', ['tea']),
    );
    assert.equal((await engine.outcome(id, call())).status, 'completed');
    assert.deepEqual(delivered, ['tea']);
    await assert.rejects(
      messages.send(engine, sender.pool, 'milk', () => Promise.reject(new Error('no milk')), 'm'),
      /no milk/,
    );
    assert.equal((await engine.outcome('m', call())).state.steps['deliver']?.phase, 'skipped');
    assert.deepEqual(delivered, ['tea']);
  }));

test('a sender that is silent is asked; its transaction cannot commit after it has answered', () =>
  withMessages(async (messages, engine, delivered) => {
    // Prepared, and then the sender stops before its transaction, or after it.
    const early = await engine.begin(messages.definition, { payload: 'early' });
    assert.equal((await engine.outcome(early, call())).state.steps['ask']?.result, 'rolled-back');
    const tooLate = messages.send(
      engine,
      sender.pool,
      'early',
      (sql) => sql.execute('INSERT INTO orders VALUES ($1)', ['early']),
      early,
    );
    await assert.rejects(tooLate, { reason: 'MESSAGE_GIVEN_UP' });
    assert.equal(await rows('early'), 0);
    assert.deepEqual(delivered, []);
  }));

test('a transaction that is under way is waited for, and its message is delivered without the sender', () =>
  withMessages(async (messages, engine, delivered) => {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const deaf = { begin: engine.begin.bind(engine), tell: () => Promise.reject(new Error('dead')) };
    const sent = messages.send(
      deaf,
      sender.pool,
      'slow',
      async (sql) => {
        await sql.execute('INSERT INTO orders VALUES ($1)', ['slow']);
        await held;
      },
      'slow',
    );
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%heddle_barrier%'`;
    await until('the question waits', async () => (await sender.pool.query(waiting)).length > 0);
    release();
    await sent;
    assert.equal((await engine.outcome('slow', call())).state.steps['ask']?.result, 'committed');
    assert.deepEqual(delivered, ['slow']);
    await assert.rejects(
      messages.send(engine, sender.pool, 'slow', async () => assert.fail('again'), 'slow'),
      { reason: 'MESSAGE_REPEATED' },
    );
  }));
