import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HeddleError } from '@heddle/kernel';
import { parseRegistryUrl } from './registry-url.ts';

const read = (text: string): unknown => {
  const { backend, secure, addresses, path, parameters } = parseRegistryUrl(text);
  const places = addresses.map(({ host, port }) => `${host} ${port}`);
  return [backend, secure, places, path, Object.fromEntries(parameters)];
};

test('a URL names a backend, its servers and what the backend wants to know', () => {
  assert.deepEqual(read('etcd+tls://10.0.0.1,[::1]:3379/team/a/?user=web&ca-file=%2Fetc%2Fca.pem'), [
    'etcd',
    true,
    ['10.0.0.1 2379', '::1 3379'],
    'team/a',
    { user: 'web', 'ca-file': '/etc/ca.pem' },
  ]);
});

test('a bare name is that backend on this machine, or in it', () => {
  assert.deepEqual(read('consul'), ['consul', false, ['127.0.0.1 8500'], '', {}]);
  assert.deepEqual(read('embedded'), ['embedded', false, [], '', {}]);
  assert.deepEqual(read('k8s:/shop'), ['kubernetes', false, [], 'shop', {}]);
});

test('all problems are told at once', () => {
  const message = /"h:0".*"a b".*expected "x" once.*expected name=value, found "y"/;
  assert.throws(() => parseRegistryUrl('consul://h:0,a b?x=1&x=2&y'), {
    reason: 'BAD_REGISTRY_URL',
    message,
  });
});

test('a secret in a URL is refused and not repeated', () => {
  assert.throws(
    () => parseRegistryUrl('etcd://root:sesame@host:1'),
    (error) => error instanceof HeddleError && !error.message.includes('sesame'),
  );
});

test('no text breaks it', () => {
  const piece = fc.constantFrom('etcd', ':', '//', '/', '?', '&', '=', '%', '[::1]', '+tls', 'a', '#', '@');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece).map((all) => all.join('')),
      ),
      (text) => {
        try {
          parseRegistryUrl(text);
        } catch (error) {
          assert.equal((error as HeddleError).reason, 'BAD_REGISTRY_URL');
        }
      },
    ),
  );
});
