import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { memoryEngine } from '../adapters/memory/index.ts';
import { broker } from '../bus/engine-broker.ts';
import { rejects } from '../testing/recorder.ts';
import { json, protobuf, type StandardSchema } from './codec.ts';
import { typedTopic } from './typed-topic.ts';

interface Order {
  readonly total: number;
}

const orderSchema: StandardSchema<Order> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const total: unknown = (value as Partial<Order> | null)?.total;
      return typeof total === 'number'
        ? { value: { total } }
        : { issues: [{ message: 'expected a number', path: ['total'] }] };
    },
  },
};

test('what the schema refuses is not sent; what comes all the same goes to the dead letters at once', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const bus = broker(memoryEngine(runtime), { runtime, source: 'test' });
  await bus.createTopic('orders', { partitions: 1 });
  const orders = typedTopic(bus, {
    name: 'orders',
    codec: json(orderSchema),
    schema: 'Order',
    schemaVersion: 2,
  });
  const refused = await rejects(orders.publish({ total: 'x' } as never), 'invalid_argument', 'BAD_PAYLOAD');
  assert.deepEqual(refused.details[0]?.value, { field: 'total', problem: 'expected a number' });
  const sent = await orders.publish({ total: 7 }, { key: 'anna' });
  assert.deepEqual([sent.schema, sent.schemaVersion, sent.key], ['Order', 2, 'anna']);
  for (const text of ['{"total":"x"}', 'no json'])
    await bus.publish({ topic: 'orders', payload: new TextEncoder().encode(text) });
  await orders.publish({ total: 8 });
  const seen: number[] = [];
  await orders.subscribe({ group: 'billing' }, async ({ total }) => {
    seen.push(total);
  });
  await time.advance(5000);
  assert.deepEqual(seen, [7, 8]);
  const dead = await bus.deadLetters('orders', 'billing').list();
  assert.deepEqual(
    dead.map(({ attempts, reason }) => [attempts, reason]),
    [
      [1, 'BAD_PAYLOAD'],
      [1, 'BAD_PAYLOAD'],
    ],
  );
});

test('protobuf: what cannot be read is refused as any other payload', async () => {
  const codec = protobuf<number>({
    toBinary: (value) => Uint8Array.of(value),
    fromBinary: ([value]) => {
      if (value === undefined) throw new Error('premature end');
      return value;
    },
  });
  assert.equal(await codec.decode(await codec.encode(7)), 7);
  await rejects(codec.decode(new Uint8Array()), 'invalid_argument', 'BAD_PAYLOAD');
});
