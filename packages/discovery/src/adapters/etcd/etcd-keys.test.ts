import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EtcdKeys } from './etcd-keys.ts';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test('an entry lies under its service, by address where that is its id, and escaped where it is another', () => {
  const keys = new EtcdKeys('/registry');
  const key = (id: string): string => text(keys.of({ service: 'users', id }));
  assert.equal(key('users@10.0.0.1:80'), '/registry/users/10.0.0.1:80');
  assert.equal(key('users@[fe80::1]:80'), '/registry/users/[fe80::1]:80');
  assert.equal(key('10.0.0.1:80'), '/registry/users/10.0.0.1%3A80');
  assert.equal(key('users@a/b:1'), '/registry/users/users%40a%2Fb%3A1');
  assert.equal(key('../x'), '/registry/users/..%2Fx');
});

test('a range holds one service and not another whose name begins alike', () => {
  const { key, rangeEnd } = new EtcdKeys('/apps/').ofService('user');
  assert.deepEqual([text(key), text(rangeEnd)], ['/apps/user/', '/apps/user0']);
});

test('keys that are not of ours have no service', () => {
  const keys = new EtcdKeys('/registry');
  const service = (key: string): string | undefined => keys.serviceOf(new TextEncoder().encode(key));
  assert.equal(service('/registry/users/a'), 'users');
  assert.equal(service('/registry/users'), undefined);
  assert.equal(service('/registry/users/'), undefined);
  assert.equal(service('/registrx/users/a'), undefined);
});
