import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codes, HeddleError } from '@heddle/kernel';
import { Fields } from '@heddle/wire';
import fc from 'fast-check';
import { BadRequestSchema } from '../gen/google/rpc/error_details_pb.ts';
import { detail, findDetails } from './details.ts';
import { decodeBinary, decodeMessage, encodeBinary, encodeMessage } from './metadata.ts';
import { pushbackMs, readStatus, statusNumber, writeStatus } from './status-fields.ts';

test('the numbers are those of the protocol', () => {
  assert.deepEqual(
    [
      statusNumber('cancelled'),
      statusNumber('deadline_exceeded'),
      statusNumber('unavailable'),
      statusNumber('unauthenticated'),
    ],
    [1, 4, 14, 16],
  );
});

test('property: an error survives the way with code, reason, message, details and sent', () => {
  const errors = fc.record({
    code: fc.constantFrom(...codes),
    reason: fc.stringMatching(/^[A-Z][A-Z_]{0,30}$/),
    message: fc.string({ unit: 'grapheme', maxLength: 200 }),
    sent: fc.boolean(),
    field: fc.string(),
  });
  fc.assert(
    fc.property(errors, ({ field, ...init }) => {
      const details = [detail(BadRequestSchema, { fieldViolations: [{ field, description: 'bad' }] })];
      const back = readStatus(writeStatus(new HeddleError({ ...init, details }), new Fields()), 200);
      assert.ok(back !== undefined);
      assert.deepEqual([back.code, back.reason, back.sent], [init.code, init.reason, init.sent]);
      assert.equal(back.message, init.message.toWellFormed());
      assert.equal(findDetails(back, BadRequestSchema)[0]?.fieldViolations[0]?.field, field.toWellFormed());
    }),
  );
});

test('success is a status of 0 and nothing else', () => {
  const fields = writeStatus(undefined, new Fields());
  assert.deepEqual(fields.raw, ['grpc-status', '0']);
  assert.equal(readStatus(fields, 200), undefined);
});

test('a foreign status is read as far as it goes', () => {
  const read = (record: Record<string, string>): HeddleError | undefined =>
    readStatus(Fields.of(record), 200);
  assert.equal(read({ 'grpc-status': '5' })?.code, 'not_found');
  assert.equal(read({ 'grpc-status': '99' })?.code, 'unknown');
  assert.equal(read({ 'grpc-status': 'x' })?.code, 'unknown');
  assert.equal(read({ 'grpc-status': '3', 'grpc-status-details-bin': '***' })?.code, 'invalid_argument');
  assert.equal(read({ 'grpc-status': '3', 'grpc-message': 'a%zz%41%' })?.message, 'a%zzA%');
});

test('without a grpc-status the HTTP status decides', () => {
  const expected = {
    200: 'unknown',
    400: 'internal',
    401: 'unauthenticated',
    403: 'permission_denied',
    404: 'unimplemented',
    429: 'unavailable',
    502: 'unavailable',
    503: 'unavailable',
    504: 'unavailable',
    500: 'unknown',
  };
  for (const [status, code] of Object.entries(expected)) {
    assert.equal(readStatus(new Fields(), Number(status))?.code, code, status);
  }
});

test('push-back: a number is the wait, anything else forbids the retry', () => {
  for (const [text, ms] of [
    ['150', 150],
    ['0', 0],
    ['-1', -1],
    ['soon', -1],
  ] as const) {
    const error = readStatus(Fields.of({ 'grpc-status': '14', 'grpc-retry-pushback-ms': text }), 200);
    assert.equal(error === undefined ? undefined : pushbackMs(error), ms, text);
  }
  assert.equal(pushbackMs(new HeddleError({ code: 'unavailable', reason: 'X', message: 'x' })), undefined);
});

test('details that would not fit into a header list are left out, the status stays', () => {
  const details = [{ type: 'test.Big', value: new Uint8Array(10_000) }];
  const fields = writeStatus(
    new HeddleError({ code: 'aborted', reason: 'X', message: 'm'.repeat(10_000), details }),
    new Fields(),
  );
  assert.ok(fields.raw.join('').length < 8192);
  assert.equal(readStatus(fields, 200)?.code, 'aborted');
});

test('property: grpc-message and -bin values are visible ASCII and come back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.uint8Array(), (text, bytes) => {
      const encoded = encodeMessage(text);
      assert.match(encoded, /^[\x20-\x7e]*$/);
      assert.equal(decodeMessage(encoded), text.toWellFormed());
      assert.deepEqual(decodeBinary(encodeBinary(bytes)), bytes);
    }),
  );
});

test('binary values are read with and without padding, and nothing else is', () => {
  assert.deepEqual(decodeBinary('YQ'), Uint8Array.of(97));
  assert.deepEqual(decodeBinary('YQ=='), Uint8Array.of(97));
  assert.throws(() => decodeBinary('Y*'), { reason: 'BAD_BINARY_FIELD' });
});
