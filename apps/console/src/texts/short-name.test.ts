import assert from 'node:assert/strict';
import { test } from 'node:test';
import { number } from './format.ts';
import { shortName } from './short-name.ts';

test('a method of gRPC loses its package, and nothing else is changed', () => {
  assert.equal(shortName('shop.payment.v1.PaymentService/Charge'), 'PaymentService/Charge');
  for (const name of [
    'echo/Once',
    'POST /orders',
    'GET /v1.2/orders',
    'saga checkout-saga/charge',
    'SELECT a.b',
  ])
    assert.equal(shortName(name), name);
});

test('numbers of one size have one form', () => {
  assert.deepEqual([0, 3, 1.5, 1.234, 12, 12.04, 40.5, 123.4, 1234].map(number), [
    '0',
    '3',
    '1.50',
    '1.23',
    '12',
    '12.0',
    '40.5',
    '123',
    '1,234',
  ]);
});
