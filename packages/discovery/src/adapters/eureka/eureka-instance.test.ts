import assert from 'node:assert/strict';
import { it } from 'node:test';
import { instanceStates } from '../../registry/instance.ts';
import { instance } from '../../registry/validate-instance.ts';
import { appOf, decodeInstance, encodeInstance, type EurekaInstance, eurekaId } from './eureka-instance.ts';

const users = instance({
  service: 'users',
  address: 'fe80::1',
  port: 80,
  metadata: { 'a b': 'x', 'team.name': 'ü' },
  tags: ['t'],
});

function sent(given = users): EurekaInstance & { readonly leaseInfo?: object } {
  const { instance: entry } = encodeInstance('', { instance: given, lease: 'x', ttlMs: 9000 }, 5) as {
    instance: EurekaInstance;
  };
  return entry;
}

it('every state makes the round trip, and other clients call only what runs', () => {
  for (const state of instanceStates) {
    const entry = sent({ ...users, state });
    assert.equal(entry.status === 'UP', state === 'running', state);
    assert.deepEqual(decodeInstance('users', entry), {
      instance: { ...users, state },
      lease: 'x',
      dirtyMs: 5,
    });
  }
});

it('an operator has the last word', () => {
  const out = decodeInstance('users', { ...sent(), status: 'OUT_OF_SERVICE' });
  assert.equal(out?.instance.state, 'maintenance');
});

it('the lease is half of ours, for a server gives twice of it', () => {
  assert.deepEqual(sent().leaseInfo, { durationInSecs: 4, renewalIntervalInSecs: 2 });
});

it('an entry of others is read by what Eureka and Spring Cloud have', () => {
  const entry: EurekaInstance = {
    instanceId: 'host:users:8080',
    hostName: 'host',
    ipAddr: '10.0.0.1',
    status: 'UP',
    port: { $: 8080 },
    metadata: { '@class': 'java.util.Collections$EmptyMap', zone: 'z1', 'management.port': '8081' },
  };
  const read = decodeInstance('users', entry);
  assert.deepEqual(
    [read?.lease, read?.instance.id, read?.instance.zone, read?.instance.protocol, read?.instance.metadata],
    ['', 'host:users:8080', 'z1', 'http', { zone: 'z1', 'management.port': '8081' }],
  );
  assert.equal(decodeInstance('users', { ...entry, port: { $: 0 } }), undefined);
});

it('names that differ in capitals only share an application, and are told apart', () => {
  assert.equal(appOf('p-', 'Users'), 'P-USERS');
  assert.equal(decodeInstance('Users', sent()), undefined);
});

it('ids are safe in a path', () => {
  assert.deepEqual(['users@10.0.0.1:80', 'a/b', '..', 'ü~'].map(eurekaId), [
    'users@10.0.0.1:80',
    'a~2Fb',
    '~2E~2E',
    '~C3~BC~7E',
  ]);
});
