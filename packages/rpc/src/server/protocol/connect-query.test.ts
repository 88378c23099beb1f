import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readConnectQuery } from './connect-query.ts';

const read = (query: string): [string, string, string | undefined] => {
  const { message, encoding, compression } = readConnectQuery(`/s/M?${query}`);
  return [Buffer.from(message).toString('latin1'), encoding, compression];
};

test('the message as text, as percent-encoded bytes, and as base64', () => {
  assert.deepEqual(read('connect=v1&encoding=json&message=%7B%22a%22%3A1%7D'), [
    '{"a":1}',
    'json',
    undefined,
  ]);
  assert.deepEqual(read('encoding=proto&message=%00%FFa'), ['\0ÿa', 'proto', undefined]);
  assert.deepEqual(read('message=AP9h&base64=1&encoding=proto'), ['\0ÿa', 'proto', undefined]);
  assert.deepEqual(read('message=_-8=&base64=1&encoding=proto&compression=gzip'), ['ÿï', 'proto', 'gzip']);
  assert.deepEqual(read('message=&encoding=proto&base64=1'), ['', 'proto', undefined]);
  assert.deepEqual(read('message=a%3Db=c&encoding=json&other=1'), ['a=b=c', 'json', undefined]);
});

test('property: any bytes come back, percent-encoded and as base64', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const percent = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
      const base64 = Buffer.from(bytes).toString('base64url');
      for (const query of [`message=${percent}`, `base64=1&message=${base64}`])
        assert.deepEqual([...readConnectQuery(`/s/M?encoding=proto&${query}`).message], [...bytes]);
    }),
  );
});

for (const [what, query] of [
  ['no query', ''],
  ['no message', 'encoding=json'],
  ['no encoding', 'message=x'],
  ['an unknown encoding', 'encoding=xml&message=x'],
  ['another version', 'connect=v2&encoding=json&message=x'],
  ['base64 that is none', 'encoding=proto&base64=1&message=a*b'],
  ['a torn escape', 'encoding=json&message=%4'],
  ['a message given twice', 'encoding=json&message=a&message=b'],
] as const)
  test(`refuses ${what}`, () => {
    assert.throws(() => readConnectQuery(`/s/M?${query}`), { code: 'invalid_argument', reason: 'BAD_QUERY' });
  });
