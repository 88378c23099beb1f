import assert from 'node:assert/strict';
import { it } from 'node:test';
import { instanceStates } from '../../registry/instance.ts';
import { instance } from '../../registry/validate-instance.ts';
import { copyOf, decodeInstance, encodeInstance, latestOf } from './nacos-instance.ts';

const users = instance({
  service: 'users',
  address: 'fe80::1',
  port: 80,
  metadata: { 'preserved.x': '1', 'team.name': 'ü' },
  weight: 7,
});
const holder = { lease: 'x', sinceMs: 5 };

it('every state makes the round trip, and other clients call only what runs', () => {
  for (const state of instanceStates) {
    const entry = encodeInstance({ ...users, state }, holder, 'DEFAULT', true);
    assert.deepEqual([entry.healthy, entry.weight], [state === 'running', 0.07]);
    assert.deepEqual(decodeInstance('users', entry, 9), {
      ...holder,
      isCopy: false,
      instance: { ...users, state, lastHeartbeatMs: 9 },
    });
    assert.equal(decodeInstance('users', copyOf(entry), 9)?.isCopy, true);
  }
});

it('a copy has nothing that only the server says', () => {
  const entry = encodeInstance(users, holder, 'DEFAULT', true);
  const told = { ...entry, serviceName: 'DEFAULT_GROUP@@users', instanceId: 'fe80::1#80#DEFAULT' };
  assert.deepEqual(copyOf(told), copyOf(entry));
});

it('what the server finds ill is critical, whatever it said itself', () => {
  const entry = { ...encodeInstance(users, holder, 'DEFAULT', false), healthy: false };
  assert.equal(decodeInstance('users', entry, 0)?.instance.health, 'critical');
});

it('an entry of others is read by what Nacos has', () => {
  const read = decodeInstance(
    'users',
    { ip: '10.0.0.1', port: 80, weight: 1, healthy: true, metadata: {} },
    0,
  );
  assert.deepEqual([read?.lease, read?.instance.weight, read?.instance.state], ['', 100, 'running']);
  assert.equal(decodeInstance('users', { ip: 'not one', port: 80 }, 0), undefined);
});

it('of two with one id the one that took it last is shown', () => {
  const [old, latest] = [1, 2].map((sinceMs) => ({
    instance: users,
    lease: `l${sinceMs}`,
    sinceMs,
    isCopy: false,
  }));
  assert.ok(old !== undefined && latest !== undefined);
  assert.deepEqual(latestOf([latest, old]), [latest]);
});
