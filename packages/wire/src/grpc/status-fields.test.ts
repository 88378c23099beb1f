import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codes, HeddleError } from '@heddle/kernel';
import fc from 'fast-check';
import { Fields } from '../message/fields.ts';
import { codeOfNumber, numberOfCode } from './status-code.ts';
import { readGrpcStatus, readPushbackMs, readStatusDetails, writeGrpcStatus } from './status-fields.ts';

test('the numbers are those of the protocol', () => {
  assert.deepEqual(
    [
      numberOfCode('cancelled'),
      numberOfCode('deadline_exceeded'),
      numberOfCode('unavailable'),
      numberOfCode('unauthenticated'),
    ],
    [1, 4, 14, 16],
  );
});

test('numbers and codes are each other’s inverse, and a strange number is unknown', () => {
  for (const code of codes) assert.equal(codeOfNumber(numberOfCode(code)), code);
  for (const number of [-1, 17, 99, 1.5, Number.NaN]) assert.equal(codeOfNumber(number), 'unknown');
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
    assert.equal(readGrpcStatus(new Fields(), Number(status))?.code, code, status);
  }
});

test('property: code, message, details and sent come back', () => {
  const errors = fc.record({
    code: fc.constantFrom(...codes),
    message: fc.string({ unit: 'grapheme', maxLength: 200 }),
    sent: fc.boolean(),
  });
  fc.assert(
    fc.property(errors, fc.uint8Array(), (init, details) => {
      const fields = writeGrpcStatus(new HeddleError({ ...init, reason: 'X' }), new Fields(), details);
      const back = readGrpcStatus(fields, 200);
      assert.deepEqual(
        [back?.code, back?.message, back?.sent],
        [init.code, init.message.toWellFormed(), init.sent],
      );
      assert.deepEqual(readStatusDetails(fields), details);
    }),
  );
});

test('success is a status of 0 and nothing else', () => {
  const fields = writeGrpcStatus(undefined, new Fields());
  assert.deepEqual(fields.raw, ['grpc-status', '0']);
  assert.equal(readGrpcStatus(fields, 200), undefined);
});

test('details that are not base64 or are too long are left out', () => {
  assert.equal(readStatusDetails(Fields.of({ 'grpc-status-details-bin': '***' })), undefined);
  const error = new HeddleError({ code: 'aborted', reason: 'X', message: 'x' });
  assert.equal(readStatusDetails(writeGrpcStatus(error, new Fields(), new Uint8Array(4097))), undefined);
  assert.equal(readStatusDetails(writeGrpcStatus(error, new Fields(), new Uint8Array(4096)))?.length, 4096);
});

test('push-back: a number is the wait, anything else forbids the retry', () => {
  const read = (text: string): number | undefined =>
    readPushbackMs(Fields.of({ 'grpc-retry-pushback-ms': text }));
  assert.deepEqual(['150', '0', '-1', 'soon', '', '1e3'].map(read), [150, 0, -1, -1, -1, -1]);
  assert.equal(readPushbackMs(new Fields()), undefined);
});
