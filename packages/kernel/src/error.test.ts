import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { codes, HeddleError } from './error.ts';

const refused = new HeddleError({
  code: 'unavailable',
  reason: 'CONNECTION_REFUSED',
  message: 'nobody listens on 127.0.0.1:1',
  sent: false,
  details: [{ type: 'heddle.Address', value: '127.0.0.1:1' }],
});

test('there are sixteen codes, numbered as gRPC numbers them', () => {
  assert.equal(codes.length, 16);
  assert.equal(codes.indexOf('cancelled') + 1, 1);
  assert.equal(codes.indexOf('unavailable') + 1, 14);
  assert.equal(codes.indexOf('unauthenticated') + 1, 16);
});

test('unless it says otherwise, an error may have happened after the request was sent', () => {
  assert.equal(new HeddleError({ code: 'internal', reason: 'X', message: '' }).sent, true);
  assert.equal(refused.sent, false);
});

test('is the same failure by code and reason, whatever the text', () => {
  assert.ok(refused.is('unavailable'));
  assert.ok(refused.is('unavailable', 'CONNECTION_REFUSED'));
  assert.ok(!refused.is('unavailable', 'CONNECT_TIMEOUT'));
  assert.ok(!refused.is('internal', 'CONNECTION_REFUSED'));
});

test('with() keeps what is not replaced, and the original as the cause', () => {
  const worded = refused.with({ message: 'no instance of order answers' });
  assert.equal(worded.message, 'no instance of order answers');
  assert.equal(worded.reason, 'CONNECTION_REFUSED');
  assert.equal(worded.sent, false);
  assert.deepEqual(worded.details, refused.details);
  assert.equal(worded.cause, refused);
});

describe('from', () => {
  test('gives a HeddleError back as it is', () => {
    assert.equal(HeddleError.from(refused), refused);
  });

  test('takes any other error as a mistake in code, and keeps it as the cause', () => {
    const mistake = new TypeError('x is not a function');
    const error = HeddleError.from(mistake);
    assert.ok(error.is('unknown', 'UNEXPECTED'));
    assert.equal(error.message, 'x is not a function');
    assert.equal(error.cause, mistake);
  });

  test('takes an abort as cancelled, and finds the reason that a call gave its signal', () => {
    const plain = new DOMException('This operation was aborted', 'AbortError');
    assert.ok(HeddleError.from(plain).is('cancelled', 'ABORTED'));
    const wrapped = Object.assign(new Error('aborted', { cause: refused }), { name: 'AbortError' });
    assert.equal(HeddleError.from(wrapped), refused);
  });

  test('takes what is not an error at all', () => {
    assert.equal(HeddleError.from('no').message, 'no');
    assert.equal(HeddleError.from(undefined).message, 'undefined');
  });
});
