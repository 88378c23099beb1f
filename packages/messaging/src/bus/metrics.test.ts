import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { expose, MetricRegistry } from '@heddle/telemetry';
import { memoryEngine } from '../adapters/memory/index.ts';
import { broker } from './engine-broker.ts';
import { brokerMetrics } from './metrics.ts';

test('what is published, handled, retried and put aside is counted by topic and group', async () => {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const registry = new MetricRegistry();
  const measures = brokerMetrics(registry, runtime);
  const bus = broker(memoryEngine(runtime), { runtime, source: 'test', measures });
  await bus.createTopic('orders', { partitions: 1 });
  await bus.publishBatch(['a', 'bad'].map((key) => ({ topic: 'orders', key, payload: new Uint8Array() })));
  await bus.subscribe('orders', { group: 'billing', attempts: 2 }, async ({ message }) => {
    if (message.key === 'bad') throw new Error('no');
  });
  await time.advance(60_000);
  const text = expose(registry);
  for (const line of [
    'heddle_messages_published_total{topic="orders"} 2',
    'heddle_messages_consumed_total{topic="orders",group="billing",outcome="handled"} 1',
    'heddle_messages_consumed_total{topic="orders",group="billing",outcome="retried"} 1',
    'heddle_messages_consumed_total{topic="orders",group="billing",outcome="dead"} 1',
    'heddle_message_age_seconds_count{topic="orders",group="billing"} 1',
  ])
    assert.ok(text.includes(line), `${line}\n${text}`);
});
