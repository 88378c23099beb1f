import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instance } from '../../registry/validate-instance.ts';
import type { ReadLease } from './lease-object.ts';
import { LiveLeases } from './live-leases.ts';

const lease = (name: string, renewedAtMs: number, weight = 1, holder = 'h'): ReadLease => ({
  object: { metadata: { name, uid: '', resourceVersion: '1', labels: {}, annotations: {} } },
  instance: {
    ...instance({ service: 'users', id: name, address: 'h', port: 1, weight }),
    lastHeartbeatMs: renewedAtMs,
  },
  holder,
  ttlMs: 1000,
});
const at = (nowMs: number): { nowMs: number; serverMs: number } => ({ nowMs, serverMs: nowMs + 50_000 });
const ids = (leases: LiveLeases, nowMs: number): string =>
  leases
    .alive(nowMs)
    .map(({ id }) => id)
    .join();

test('one that is seen first has what is left by the server’s time; a renewal is worth a whole lease', () => {
  const leases = new LiveLeases();
  leases.replace([lease('a', 50_000), lease('old', 40_000)], at(400), 0);
  assert.equal(ids(leases, 999), 'a');
  assert.equal(leases.nextEndMs(400), 1000);
  assert.equal(ids(leases, 1000), '');
  assert.equal(leases.put(lease('a', 50_700), at(700)), false, 'a renewal alone is no news');
  assert.equal(ids(leases, 1699), 'a');
  assert.deepEqual(
    leases.over(1700).map(({ instance: { id } }) => id),
    ['a', 'old'],
  );
});

test('an entry that comes back, changes or goes is news', () => {
  const leases = new LiveLeases();
  leases.replace([lease('a', 40_000)], at(0), 0);
  assert.equal(leases.put(lease('a', 50_001), at(1)), true, 'alive again');
  assert.equal(leases.put(lease('a', 50_001, 7), at(2)), true, 'another weight');
  assert.equal(leases.put(lease('a', 50_003, 7, 'other'), at(3)), false, 'another holder of the same');
  assert.equal(leases.remove('a'), true);
  assert.equal(leases.remove('a'), false);
});

test('what held when the watch broke has a whole lease after it; what was over stays over', () => {
  const leases = new LiveLeases();
  leases.replace([lease('a', 50_900), lease('dead', 49_000)], at(1000), 0);
  leases.replace([lease('a', 50_900), lease('dead', 49_000)], at(9000), 1500);
  assert.equal(ids(leases, 9999), 'a');
  assert.equal(ids(leases, 10_000), '');
});

test('a time in which nothing could be seen does not count', () => {
  const leases = new LiveLeases();
  leases.replace([lease('a', 50_000)], at(0), 0);
  leases.postpone(5000, 5500);
  assert.equal(ids(leases, 5999), 'a');
});
