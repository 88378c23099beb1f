import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Call, HeddleError } from '@heddle/kernel';
import { type Broker, broker } from '@heddle/messaging';
import { memoryEngine } from '@heddle/messaging/memory';
import { type Database, databases, runtime } from '../../testing/node/databases.ts';
import { passBarrier, prepareBarrier } from '../barrier/index.ts';
import { answerCommands, commandMessage, saga, type SagaDefinition, SagaEngine } from './index.ts';

interface Order {
  readonly item: string;
  readonly price: number;
}

let server: Awaited<ReturnType<typeof databases>>;
let center: Database;
let till: Database;
let bus: Broker;
before(async () => {
  server = await databases();
  [center, till] = [await server.create(), await server.create()];
  await prepareBarrier(till.pool);
  await till.pool.execute('CREATE TABLE paid (item text, price integer)');
  bus = broker(memoryEngine(runtime), { runtime, source: 'test' });
  for (const topic of ['pay', 'pay-back']) await bus.createTopic(topic, { partitions: 1 });
});
after(async () => {
  await bus.close();
  await center.close();
  await till.close();
  await server.stop();
});

/** A till that is paid by commands, once for each key; `answers` may lose what it has done. */
async function openTill(answers: (result: object, attempt: number) => Promise<object>): Promise<void> {
  let attempts = 0;
  await answerCommands<Order, object>(bus, 'pay', { group: 'till' }, async ({ item, price }, key) => {
    if (price > 100)
      throw new HeddleError({ code: 'failed_precondition', reason: 'TOO_DEAR', message: item });
    const [tx = ''] = key.split('/');
    await till.pool.transaction((sql) =>
      passBarrier(sql, { tx, branch: 'till', op: 'run' }, () =>
        sql.execute('INSERT INTO paid VALUES ($1, $2)', [item, price]),
      ),
    );
    attempts += 1;
    return answers({ receipt: `for ${item}` }, attempts);
  });
}

function purchase(): SagaDefinition<Order, { readonly pay: { readonly receipt: string } }> {
  const pay = commandMessage<Order, { readonly receipt: string }>(bus, 'pay');
  return saga<Order>('purchase')
    .step('pay', {
      run: ({ input, call }) => pay(input, call),
      undo: async () => {},
      backoff: { baseMs: 1, maxMs: 2 },
    })
    .build();
}

test('a step by command message: what was done and whose reply got lost is done once; an error comes back as it was', async () => {
  await openTill(async (result, attempt) => {
    // The effect is there; the receiver dies before it has replied.
    if (attempt === 1) throw new HeddleError({ code: 'unavailable', reason: 'DIED', message: 'died' });
    return result;
  });
  const definition = purchase();
  const engine = new SagaEngine({ runtime, ...center, definitions: [definition], pollMs: 50 });
  await engine.start();
  try {
    const call = Call.root(runtime, runtime.clock.nowMs() + 60_000);
    const good = await engine.outcome(await engine.begin(definition, { item: 'tea', price: 5 }), call);
    assert.equal(good.status, 'completed');
    assert.deepEqual(good.state.steps['pay']?.result, { receipt: 'for tea' });
    assert.equal(good.state.steps['pay']?.attempts, 2);
    assert.deepEqual(await till.pool.query('SELECT item, price FROM paid'), [{ item: 'tea', price: 5 }]);
    const bad = await engine.outcome(await engine.begin(definition, { item: 'gold', price: 500 }), call);
    assert.equal(bad.status, 'compensated');
    assert.deepEqual(
      [bad.state.failure?.code, bad.state.failure?.reason],
      ['failed_precondition', 'TOO_DEAR'],
    );
    assert.equal(bad.state.steps['pay']?.attempts, 1);
    call.end();
  } finally {
    await engine.stop();
  }
});

test('a command that no receiver can read is refused, not repeated', async () => {
  await answerCommands(bus, 'pay-back', { group: 'till' }, async () => undefined);
  const call = Call.root(runtime, runtime.clock.nowMs() + 60_000);
  const query = { topic: 'pay-back', payload: new TextEncoder().encode('{') };
  await assert.rejects(bus.request(query, call), { code: 'invalid_argument', reason: 'BAD_PAYLOAD' });
  assert.equal(await commandMessage<object, null>(bus, 'pay-back')({}, call), null);
  call.end();
});
