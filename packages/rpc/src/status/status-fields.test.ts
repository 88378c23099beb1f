import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codes, HeddleError } from '@heddle/kernel';
import { Fields } from '@heddle/wire';
import fc from 'fast-check';
import { BadRequestSchema } from '../gen/google/rpc/error_details_pb.ts';
import { detail, findDetails } from './details.ts';
import { pushbackMs, readStatus, writeStatus } from './status-fields.ts';

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
