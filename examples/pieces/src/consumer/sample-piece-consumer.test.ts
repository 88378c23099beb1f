// The consumer on the engine in memory, which keeps the promises of the others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeRuntime } from '@heddle/kernel/node';
import { broker } from '@heddle/messaging';
import { memoryEngine } from '@heddle/messaging/memory';
import { samplePieceConsumer } from './sample-piece-consumer.ts';

test('gets what is published, and puts aside what cannot be read', async () => {
  const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
  const bus = broker(memoryEngine(runtime), { runtime, source: 'test' });
  const seen = Promise.withResolvers<string>();
  const consumer = samplePieceConsumer(bus, 'test', async ({ id }) => seen.resolve(id));
  await consumer.start();
  const payload = new TextEncoder().encode('{"id":"one"}');
  await bus.publish({ topic: 'sample-piece', key: 'one', type: 'sample-piece.made', payload });
  assert.equal(await seen.promise, 'one');
  await consumer.stop();
  await bus.close();
});
