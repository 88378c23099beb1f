import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LastReadings } from './last-readings.ts';

test('the same text about the same service is read once; another text, or another service, anew', () => {
  const read: string[] = [];
  const readings = new LastReadings((service, text) => {
    read.push(`${service}=${text}`);
    return { text };
  });
  const first = readings.read('users', 'a');
  assert.equal(readings.read('users', 'a'), first);
  readings.read('orders', 'a');
  assert.deepEqual(readings.read('users', 'b'), { text: 'b' });
  assert.deepEqual(readings.read('users', 'a'), { text: 'a' });
  assert.deepEqual(read, ['users=a', 'orders=a', 'users=b', 'users=a']);
});

test('what is remembered is bounded', () => {
  let read = 0;
  const readings = new LastReadings(() => ++read);
  const long = 'x'.repeat(6 * 1024 * 1024);
  for (const service of ['a', 'b', 'c']) readings.read(service, long);
  assert.equal(readings.read('c', long), 3, 'the last one is there');
  assert.equal(readings.read('a', long), 4, 'the first one had to go');
});
