import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptableCompression, acceptedEncodings, type Compression, compressionOf } from './compression.ts';

const named = (name: string): Compression => ({
  name,
  compress: async (bytes) => bytes,
  decompress: async (bytes) => bytes,
});
const known = [named('gzip'), named('deflate')];

test('identity and no encoding are no compression', () => {
  assert.equal(compressionOf(undefined, known), undefined);
  assert.equal(compressionOf('identity', known), undefined);
  assert.equal(compressionOf('deflate', known), known[1]);
});

test('an unknown encoding is unimplemented', () => {
  for (const name of ['br', 'GZIP', 'gzip,gzip', ''])
    assert.throws(() => compressionOf(name, known), {
      code: 'unimplemented',
      reason: 'UNKNOWN_ENCODING',
    });
});

test('the first of ours that the other side takes', () => {
  const chosen = (accept: string | undefined): string | undefined =>
    acceptableCompression(accept, known)?.name;
  assert.equal(chosen('identity,deflate,gzip'), 'gzip');
  assert.equal(chosen('identity, deflate'), 'deflate');
  assert.equal(chosen('br, gzip;q=0.5'), 'gzip');
  assert.equal(chosen('gzip;q=0, deflate;q=1'), 'deflate');
  assert.equal(chosen('gzip; q=0.000'), undefined);
  assert.equal(chosen('xgzip'), undefined);
  assert.equal(chosen(''), undefined);
  assert.equal(chosen(undefined), undefined);
  assert.equal(acceptedEncodings(known), 'identity,gzip,deflate');
});
