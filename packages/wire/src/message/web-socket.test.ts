import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { seededRandom } from '@heddle/kernel/simulated';
import fc from 'fast-check';
import { emptyBody } from './body.ts';
import { Fields } from './fields.ts';
import type { HttpRequest, HttpResponse } from './http.ts';
import { sha1 } from './sha1.ts';
import { asConnected, asExtendedConnect, asSwitched, asUpgrade } from './web-socket.ts';

const request = (method: string, fields: Record<string, string>, protocol = 'websocket'): HttpRequest => ({
  method,
  scheme: 'http',
  authority: 'a',
  path: '/chat',
  fields: Fields.of(fields),
  body: emptyBody,
  protocol,
});
const answer = (status: number, fields: Record<string, string> = {}): HttpResponse => ({
  status,
  fields: Fields.of(fields),
  body: emptyBody,
});

test('property: SHA-1 is that of node:crypto', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(bytes, (all) => {
      assert.equal(Buffer.from(sha1(all)).toString('hex'), createHash('sha1').update(all).digest('hex'));
    }),
  );
});

test('an extended CONNECT becomes an upgrade with a key, and the key’s answer is checked and kept', () => {
  const asked = asUpgrade(request('CONNECT', { 'sec-websocket-version': '13' }), seededRandom(1));
  const key = asked.fields.get('sec-websocket-key') ?? '';
  assert.equal(asked.method, 'GET');
  assert.equal(Buffer.from(key, 'base64').length, 16);
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  const connected = asConnected(
    asked,
    answer(101, { 'sec-websocket-accept': accept, 'sec-websocket-protocol': 'x' }),
  );
  assert.deepEqual(connected.fields.raw, ['sec-websocket-protocol', 'x']);
  const wrong = (error: unknown): boolean => error instanceof HeddleError && error.reason === 'BAD_UPGRADE';
  assert.throws(() => asConnected(asked, answer(101, { 'sec-websocket-accept': 'x' })), wrong);
  assert.throws(() => asConnected(asked, answer(101)), wrong);
  assert.equal(asConnected(asked, answer(403)).status, 403);
});

test('an upgrade becomes an extended CONNECT without a key, and success becomes 101 with the answer to it', () => {
  // The example of RFC 6455 section 1.3.
  const asked = request('GET', { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' });
  const sent = asExtendedConnect(asked);
  assert.equal(sent.method, 'CONNECT');
  assert.equal(sent.fields.has('sec-websocket-key'), false);
  const switched = asSwitched(asked, answer(200));
  assert.equal(switched.status, 101);
  assert.equal(switched.fields.get('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  assert.equal(asSwitched(asked, answer(404)).status, 404);
});

test('other protocols have no key', () => {
  const asked = asUpgrade(request('CONNECT', {}, 'connect-udp'), seededRandom(1));
  assert.equal(asked.fields.size, 0);
  assert.equal(asConnected(asked, answer(101)).status, 101);
});
