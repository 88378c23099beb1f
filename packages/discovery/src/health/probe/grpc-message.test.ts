import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AnswerReader, encodeRequest } from './grpc-message.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

test('requests are as protoc writes them', () => {
  assert.deepEqual(encodeRequest(''), hex('00 00000000'));
  assert.deepEqual(encodeRequest('a.B'), hex('00 00000005 0a 03 612e42'));
  const long = encodeRequest('x'.repeat(200));
  assert.deepEqual(long.subarray(0, 8), hex('00 000000cb 0a c801'));
  assert.equal(long.length, 5 + 3 + 200);
});

test('answers are read as they are written, with fields of later versions passed over', () => {
  const cases: readonly (readonly [bytes: string, status: string])[] = [
    ['00 00000000', 'unknown'],
    ['00 00000002 08 01', 'serving'],
    ['00 00000002 08 02', 'not_serving'],
    ['00 00000002 08 03', 'unknown_service'],
    ['00 00000002 08 63', 'unknown'],
    ['00 00000004 08 01 08 02', 'not_serving'],
    ['00 00000005 12 01 ff 08 01', 'serving'],
    ['00 0000000b 19 0102030405060708 08 01', 'serving'],
    ['00 00000007 1d 01020304 08 01', 'serving'],
    ['00 00000004 10 7f 08 01', 'serving'],
  ];
  for (const [bytes, status] of cases) assert.deepEqual(new AnswerReader().push(hex(bytes)), [status], bytes);
});

test('what is no answer is refused, and does not take memory first', () => {
  const cases = [
    '01 00000002 08 01',
    '00 ffffffff',
    '00 00000401',
    '00 00000001 08',
    '00 00000002 08 ff',
    '00 00000002 0b 01',
    '00 00000003 12 7f 00',
    '00 0000000c 08 ffffffffffffffffffffff',
  ];
  for (const bytes of cases) {
    assert.throws(() => new AnswerReader().push(hex(bytes)), { reason: 'BAD_HEALTH_ANSWER' }, bytes);
  }
  const cut = new AnswerReader();
  cut.push(hex('00 00000002 08'));
  assert.throws(() => cut.end(), { reason: 'BAD_HEALTH_ANSWER' });
});

test('property: answers come out the same however the stream is cut', () => {
  const chunks = fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 10 }), chunks, (numbers, sizes) => {
      const whole = Uint8Array.from(numbers.flatMap((number) => [0, 0, 0, 0, 2, 8, number]));
      const expected = new AnswerReader().push(whole);
      const reader = new AnswerReader();
      const found: string[] = [];
      let at = 0;
      for (const size of [...sizes, whole.length]) {
        found.push(...reader.push(whole.subarray(at, at + size)));
        at += size;
      }
      reader.end();
      assert.deepEqual(found, expected);
      assert.equal(found.length, numbers.length);
    }),
  );
});

test('property: no bytes make it throw anything but its own error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        new AnswerReader().push(bytes);
      } catch (thrown) {
        assert.equal((thrown as { reason?: string }).reason, 'BAD_HEALTH_ANSWER');
      }
    }),
  );
});
