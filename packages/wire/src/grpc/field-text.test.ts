import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBinary, decodeText, encodeBinary, encodeText } from './field-text.ts';

test('property: grpc-message and -bin values are visible ASCII and come back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uint8Array(), (text, bytes) => {
      const encoded = encodeText(text);
      assert.match(encoded, /^[\x20-\x7e]*$/);
      assert.equal(decodeText(encoded), text.toWellFormed());
      assert.deepEqual(decodeBinary(encodeBinary(bytes)), bytes);
    }),
  );
});

test('binary values are read with and without padding, and nothing else is', () => {
  assert.deepEqual(decodeBinary('YQ'), Uint8Array.of(97));
  assert.deepEqual(decodeBinary('YQ=='), Uint8Array.of(97));
  assert.throws(() => decodeBinary('Y*'), { reason: 'BAD_BINARY_FIELD' });
});
