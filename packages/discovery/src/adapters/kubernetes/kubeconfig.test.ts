import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { readKubeconfig } from './kubeconfig.ts';

const config = (user: object, cluster: object = {}): unknown => ({
  'current-context': 'here',
  contexts: [{ name: 'here', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
  clusters: [{ name: 'c', cluster: { server: 'https://[::1]:6443', ...cluster } }],
  users: [{ name: 'u', user }],
});
const read = (document: unknown, context?: string): ReturnType<typeof readKubeconfig> =>
  readKubeconfig({ document, context, readText: (path) => Promise.resolve(`text of ${path}\n`) });
const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('a token, a file with one, and a client certificate', async () => {
  const byToken = await read(config({ token: 'sesame' }, { 'certificate-authority': 'ca.crt' }));
  assert.deepEqual(byToken.address, { host: '::1', port: 6443 });
  assert.deepEqual([await byToken.token(), byToken.namespace], ['sesame', 'shop']);
  assert.equal(byToken.tls?.current.trust, 'text of ca.crt\n');
  assert.equal(await (await read(config({ token: 'old', tokenFile: 't' }))).token(), 'text of t');
  const data = { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY') };
  const byCertificate = await read(config(data));
  assert.deepEqual(byCertificate.tls?.current.identities, [{ certificates: 'CERT', privateKey: 'KEY' }]);
});

test('what would run a program or not verify the server is unsupported, all of it named', async () => {
  const document = config({ exec: { command: 'aws' } }, { 'insecure-skip-tls-verify': true });
  await assert.rejects(read(document), {
    code: 'unimplemented',
    reason: 'UNSUPPORTED',
    message: /insecure-skip-tls-verify.*exec/,
  });
});

test('what is missing is named', async () => {
  const bad = { reason: 'BAD_KUBECONFIG' };
  await assert.rejects(read({}), { ...bad, message: /current-context/ });
  await assert.rejects(read(config({}), 'elsewhere'), { ...bad, message: /context named "elsewhere"/ });
  await assert.rejects(read(config({}, { server: 'nowhere' })), { ...bad, message: /https:\/\/host:6443/ });
  await assert.rejects(read(config({ 'client-key-data': 'x' })), { ...bad, message: /together/ });
});

test('a secret is not repeated in an error', async () => {
  const error = await read(config({ token: 'sesame', username: 'u', password: 'sesame' })).catch(
    (thrown) => thrown,
  );
  assert.ok(error instanceof HeddleError && !error.message.includes('sesame'));
});
