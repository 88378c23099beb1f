import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { type Charge, decide, limitMinor, type Payment, repeated } from './charge.ts';

const charge: Charge = { orderId: 'o1', userId: 'u1', currency: 'EUR', amountMinor: 1000, method: 'card' };
const payment: Payment = { ...charge, paymentId: 'pay1', state: 'charged' };
const reason = (expected: string) => (thrown: unknown) =>
  thrown instanceof HeddleError && thrown.is('failed_precondition', expected);

describe('charge', () => {
  test('is decided by method and limit', () => {
    assert.equal(decide(charge), 'charged');
    assert.equal(decide({ ...charge, amountMinor: limitMinor }), 'charged');
    assert.equal(decide({ ...charge, amountMinor: limitMinor + 1 }), 'declined');
    assert.equal(decide({ ...charge, method: 'card-declined' }), 'declined');
  });

  test('repeated, it is what it was', () => {
    assert.equal(repeated(payment, charge), 'pay1');
    assert.throws(() => repeated(payment, { ...charge, amountMinor: 999 }), reason('PAYMENT_DIFFERS'));
    assert.throws(() => repeated(payment, { ...charge, currency: 'USD' }), reason('PAYMENT_DIFFERS'));
    assert.throws(() => repeated({ ...payment, state: 'declined' }, charge), reason('PAYMENT_DECLINED'));
    assert.throws(() => repeated({ ...payment, state: 'refunded' }, charge), reason('PAYMENT_VOIDED'));
    assert.throws(() => repeated({ ...payment, state: 'voided' }, charge), reason('PAYMENT_VOIDED'));
  });
});
