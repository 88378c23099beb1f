import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Applications, type EurekaApplications } from './applications.ts';
import type { EurekaInstance } from './eureka-instance.ts';

const entry = (instanceId: string, status = 'UP', more: EurekaInstance = {}): EurekaInstance => ({
  instanceId,
  status,
  ...more,
});

function answer(hash: string, ...instance: EurekaInstance[]): EurekaApplications {
  return { applications: { apps__hashcode: hash, application: [{ name: 'users', instance }] } };
}

it('the hash is that of Eureka: statuses in order, each with its count', () => {
  const apps = new Applications();
  assert.equal(apps.hash, '');
  apps.replace(answer('', entry('a'), entry('b', 'OUT_OF_SERVICE'), entry('c'), entry('d', 'DOWN')));
  assert.equal(apps.hash, 'DOWN_1_OUT_OF_SERVICE_1_UP_2_');
});

it('changes are applied in order, and a hash that differs asks for all', () => {
  const apps = new Applications();
  apps.replace(answer('', entry('a'), entry('b')));
  const changes = [entry('a', 'UP', { actionType: 'DELETED' }), entry('c', 'DOWN', { actionType: 'ADDED' })];
  assert.equal(apps.apply(answer('DOWN_1_UP_1_', ...changes)), true);
  assert.deepEqual(
    apps.of('USERS').map(({ instanceId }) => instanceId),
    ['b', 'c'],
  );
  assert.equal(apps.apply(answer('UP_7_')), false);
  assert.equal(
    apps.apply(
      answer('', entry('b', 'UP', { actionType: 'DELETED' }), entry('c', 'UP', { actionType: 'DELETED' })),
    ),
    true,
  );
  assert.deepEqual(apps.names, [], 'an application without instances is none');
});

it('an entry does not give way to an older one, but one that has gone is gone', () => {
  const apps = new Applications();
  apps.replace(answer('', entry('a', 'DOWN', { lastDirtyTimestamp: '20' }), entry('b')));
  apps.replace(answer('', entry('a', 'UP', { lastDirtyTimestamp: '10' })));
  assert.deepEqual(
    apps.of('USERS').map(({ instanceId, status }) => [instanceId, status]),
    [['a', 'DOWN']],
  );
});
