import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instance } from '../../registry/validate-instance.ts';
import { decodeInstance, encodeInstance, type NacosInstance } from './nacos-instance.ts';
import { NacosReadings } from './nacos-readings.ts';

const one = instance({ service: 'users', address: '10.0.0.1', port: 80, metadata: { team: 'a' } });
const entry = encodeInstance(one, { lease: 'x', sinceMs: 5 }, 'DEFAULT', true);

test('what was read is what decoding gives, with the time of the answer, however often it comes', () => {
  const readings = new NacosReadings();
  for (const nowMs of [7, 9])
    assert.deepEqual(readings.read('users', [{ ...entry }], nowMs), [decodeInstance('users', entry, nowMs)]);
});

test('every difference that matters is seen', () => {
  const readings = new NacosReadings();
  const others: NacosInstance[] = [
    { ...entry, weight: 3 },
    { ...entry, healthy: false },
    { ...entry, port: 81 },
    { ...entry, ip: '10.0.0.2' },
    { ...entry, metadata: { ...entry.metadata, team: 'b' } },
    { ...entry, metadata: { ...entry.metadata, more: 'c' } },
    { ...entry, metadata: {} },
    { ip: '10.0.0.1', port: 80 },
  ];
  for (const other of others) {
    readings.read('users', [entry], 7);
    const expected = decodeInstance('users', other, 7);
    assert.deepEqual(readings.read('users', [other], 7), expected === undefined ? [] : [expected]);
  }
  assert.deepEqual(readings.read('orders', [entry], 7)[0]?.instance.service, 'orders');
});

test('what is no instance is left out, and found out once', () => {
  const readings = new NacosReadings();
  const none = { ip: 'not one', port: 80 };
  assert.deepEqual([readings.read('users', [none], 7), readings.read('users', [none], 7)], [[], []]);
});
