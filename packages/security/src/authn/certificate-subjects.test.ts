import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CertificateSubjects, isCertificateName } from './certificate-subjects.ts';

const fingerprint = 'ab'.repeat(32);
const known = { roles: ['ops'], scopes: [] };
const subjects = new CertificateSubjects({
  trustDomains: ['shop.example'],
  known: [
    { name: 'spiffe://shop.example/order', ...known },
    { name: 'spiffe://other.example/one', ...known },
    { name: 'dns:ops.example', ...known },
    { name: `sha256:${fingerprint}`, ...known },
  ],
});
const shown = { verified: true, fingerprint: '00', dnsNames: [], uris: [] };
const refused = { code: 'unauthenticated', reason: 'BAD_CERTIFICATE' };

describe('a client certificate', () => {
  test('is of its SPIFFE ID, where the trust domain is trusted or the ID is listed', () => {
    const of = (uri: string): unknown => subjects.identify({ ...shown, uris: [uri] });
    const payment = {
      subject: 'spiffe://shop.example/payment',
      method: 'mtls',
      issuer: '',
      roles: [],
      scopes: [],
      claims: {},
    };
    assert.deepEqual(of('spiffe://shop.example/payment'), payment);
    assert.deepEqual(of('spiffe://shop.example/order'), {
      ...payment,
      subject: 'spiffe://shop.example/order',
      roles: ['ops'],
    });
    assert.deepEqual(of('spiffe://other.example/one'), {
      ...payment,
      subject: 'spiffe://other.example/one',
      roles: ['ops'],
    });
  });

  test('is of its fingerprint or DNS name, where these are listed', () => {
    assert.equal(subjects.identify({ ...shown, fingerprint }).subject, `sha256:${fingerprint}`);
    assert.equal(subjects.identify({ ...shown, dnsNames: ['x', 'ops.example'] }).subject, 'dns:ops.example');
  });

  for (const uris of [
    ['spiffe://other.example/two'],
    ['spiffe://shop.example/a', 'spiffe://shop.example/b'],
    ['spiffe://shop.example/../order'],
    ['spiffe://shop.example//order'],
    ['spiffe://shop.example/order/'],
    ['spiffe://shop.example:443/order'],
    ['spiffe://SHOP.example/order'],
    ['spiffe://shop.example/order?x'],
    ['https://shop.example/order'],
    [],
  ])
    test(`with ${JSON.stringify(uris)} is of nobody`, () =>
      assert.throws(() => subjects.identify({ ...shown, uris }), refused));

  test('is nothing when it is not verified, or not there', () => {
    assert.throws(() => subjects.identify({ ...shown, verified: false, fingerprint }), refused);
    assert.throws(() => subjects.identify(undefined), { reason: 'NO_CREDENTIALS' });
  });

  test('has a name of one of three kinds', () => {
    for (const name of ['spiffe://a/b', 'dns:a.example', `sha256:${fingerprint}`])
      assert.ok(isCertificateName(name));
    for (const name of ['a', 'dns:', 'sha256:AB', 'spiffe://']) assert.ok(!isCertificateName(name), name);
  });
});
