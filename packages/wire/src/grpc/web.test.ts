import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { streamBody, wholeBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import { base64Body, encodeBase64, webTrailers } from './web.ts';

test('the trailer is a frame with a flag of its own', () => {
  const text = 'grpc-status: 0\r\nx: y\r\n';
  const bytes = webTrailers(Fields.of({ 'grpc-status': '0', x: 'y' }));
  assert.deepEqual([...bytes.subarray(0, 5)], [128, 0, 0, 0, text.length]);
  assert.equal(Buffer.from(bytes.subarray(5)).toString(), text);
});

async function* chunked(text: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array, void> {
  let at = 0;
  for (const size of [...cuts, text.length]) {
    yield text.subarray(at, at + size);
    at += size;
  }
}

test('property: pieces of base64 come back as bytes, however they are cut', async () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 6 });
  const check = fc.asyncProperty(pieces, fc.array(fc.nat(9)), async (sent, cuts) => {
    const text = Buffer.concat(sent.map(encodeBase64));
    const received = await base64Body(streamBody(chunked(text, cuts))).bytes(1000);
    assert.deepEqual(Buffer.from(received), Buffer.concat(sent));
  });
  await fc.assert(check);
});

test('what is not base64 is refused', async () => {
  for (const text of ['A', 'AAA', 'AAAA=', 'A===', '====', 'AA=A', 'AAA\n', 'AA-_', 'AAAAé', 'AAAA AAA'])
    await assert.rejects(
      base64Body(wholeBody(Buffer.from(text))).bytes(100),
      { code: 'invalid_argument', reason: 'BAD_BASE64' },
      text,
    );
});
