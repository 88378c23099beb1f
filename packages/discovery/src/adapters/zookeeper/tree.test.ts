import assert from 'node:assert/strict';
import { it } from 'node:test';
import { instance } from '../../registry/validate-instance.ts';
import { decodeNode, encodeNode, nodeName, RegistryTree } from './tree.ts';

it('every id has a node of its own, below its service', () => {
  const names = ['a/b', '..', '.', 'ü & #', '100%', '%2F', 'users@[::1]:80'].map(nodeName);
  assert.deepEqual(names, [
    'a%2Fb',
    '%2E%2E',
    '%2E',
    '%C3%BC%20%26%20%23',
    '100%25',
    '%252F',
    'users%40%5B%3A%3A1%5D%3A80',
  ]);
  const tree = new RegistryTree('/prod/heddle');
  assert.equal(tree.instance('users', 'a/b'), '/prod/heddle/users/a%2Fb');
  assert.deepEqual(tree.above('users'), ['/prod', '/prod/heddle', '/prod/heddle/users']);
});

it('what is no path of ZooKeeper is refused', () => {
  for (const path of ['', '/', 'a', '/a/', '/a//b', '/a/../b', '/a\n'])
    assert.throws(() => new RegistryTree(path), { code: 'invalid_argument', reason: 'BAD_PATH' }, path);
});

it('a node says what its instance is and whose; what others wrote is none', () => {
  const users = instance({
    service: 'users',
    address: 'h',
    port: 1,
    metadata: { 'team.name': 'Zürich 纺织' },
  });
  const bytes = encodeNode({ instance: users, lease: 'x', ttlMs: 1 });
  assert.deepEqual(decodeNode('users', bytes, 7), { instance: { ...users, lastHeartbeatMs: 7 }, lease: 'x' });
  for (const [service, text] of [
    ['orders', Buffer.from(bytes).toString()],
    ['users', '{}'],
    ['users', '10.0.0.1:80'],
    ['users', 'null'],
  ])
    assert.equal(decodeNode(service as string, Buffer.from(text as string), 0), undefined);
});
