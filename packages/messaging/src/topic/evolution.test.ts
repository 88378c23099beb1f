import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { memoryEngine } from '../adapters/memory/index.ts';
import { broker } from '../bus/engine-broker.ts';
import { json, type StandardSchema } from './codec.ts';
import { typedTopic, type TypedTopicOptions } from './typed-topic.ts';

interface Order {
  readonly totalCents: number;
  readonly currency: string;
}

const schema: StandardSchema<Order> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const { totalCents, currency } = value as Partial<Order>;
      return typeof totalCents === 'number' && typeof currency === 'string'
        ? { value: { totalCents, currency } }
        : { issues: [{ message: 'expected an order' }] };
    },
  },
};

/** What a process of version 3 sees of messages of other versions. */
async function seen(
  options: Partial<TypedTopicOptions<Order>>,
  messages: readonly (readonly [schema: string, version: number, value: unknown])[],
): Promise<readonly unknown[]> {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const bus = broker(memoryEngine(runtime), { runtime, source: 'test' });
  await bus.createTopic('orders', { partitions: 1 });
  const orders = typedTopic(bus, {
    name: 'orders',
    codec: json(schema),
    schema: 'Order',
    schemaVersion: 3,
    ...options,
  });
  const all: unknown[] = [];
  await orders.subscribe({ group: 'billing' }, async (value) => void all.push(value));
  for (const [name, schemaVersion, value] of messages)
    await bus.publish({
      topic: 'orders',
      schema: name,
      schemaVersion,
      payload: new TextEncoder().encode(JSON.stringify(value)),
    });
  await time.advance(5000);
  const dead = await bus.deadLetters('orders', 'billing').list();
  return [...all, ...dead.map(({ reason, attempts }) => `${reason} after ${attempts}`)];
}

const upcasts = {
  1: ({ total }: { readonly total: number }) => ({ totalCents: total * 100 }),
  2: (value: object) => ({ ...value, currency: 'EUR' }),
};

test('messages of older versions are brought to the one at hand, step by step', async () => {
  const found = await seen({ upcasts }, [
    ['Order', 1, { total: 7 }],
    ['Order', 2, { totalCents: 5 }],
    ['Order', 3, { totalCents: 6, currency: 'CHF' }],
  ]);
  assert.deepEqual(found, [
    { totalCents: 700, currency: 'EUR' },
    { totalCents: 5, currency: 'EUR' },
    { totalCents: 6, currency: 'CHF' },
  ]);
});

test('a newer version is read as far as is known, or refused until the update; another schema is refused', async () => {
  const newer = ['Order', 4, { totalCents: 6, currency: 'CHF', vat: 1 }] as const;
  assert.deepEqual(await seen({}, [newer]), [{ totalCents: 6, currency: 'CHF' }]);
  assert.deepEqual(await seen({ newer: 'refuse' }, [newer]), ['SCHEMA_TOO_NEW after 1']);
  assert.deepEqual(await seen({}, [['Invoice', 3, newer[2]]]), ['WRONG_SCHEMA after 1']);
});

test('a step that fails is a dead letter at once', async () => {
  const broken = { 1: () => assert.fail('no'), 2: upcasts[2] };
  assert.deepEqual(await seen({ upcasts: broken }, [['Order', 1, { total: 7 }]]), ['UPCAST_FAILED after 1']);
});
