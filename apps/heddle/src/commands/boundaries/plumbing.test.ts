import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOwnTable, isPlumbing } from './plumbing.ts';

test('what programs ask each other is no operation of a service; what people ask is', () => {
  for (const name of [
    'grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    'grpc.health.v1.Health/Check',
    'GET /.well-known/heddle-contract',
    'GET /metrics',
    'PUT',
  ])
    assert.ok(isPlumbing(name), name);
  for (const name of ['POST /orders', 'shop.order.v1.OrderService/Place', 'GET /health-records', 'letter'])
    assert.ok(!isPlumbing(name), name);
});

test('tables of the platform are told from those of services', () => {
  for (const name of ['INSERT heddle_sagas', 'SELECT public.heddle_outbox'])
    assert.ok(isOwnTable(name), name);
  for (const name of ['INSERT orders', 'SELECT my_heddle_orders', 'COMMIT'])
    assert.ok(!isOwnTable(name), name);
});
