import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import fc from 'fast-check';
import {
  evolve,
  isUnderWay,
  nextStep,
  type Order,
  type OrderEvent,
  orderRequest,
  type Pricing,
  placed,
  sameRequest,
  totalMinor,
} from './order.ts';

const request = { userId: 'u1', method: 'card', items: [{ productId: 'p1', quantity: 2 }] };
const pricing: Pricing = {
  lines: [{ productId: 'p1', name: 'Kettle', quantity: 2, unitMinor: 3995 }],
  shippingMinor: 490,
  weightGrams: 900,
  currency: 'EUR',
  recipient: { name: 'Anna', street: 'Parkweg 1', postcode: '20999', city: 'Hamburg', country: 'DE' },
};
const way: readonly OrderEvent[] = [
  { kind: 'priced', pricing },
  { kind: 'reserved' },
  { kind: 'charged', paymentId: 'pay1' },
  { kind: 'shipped', trackingCode: 't1' },
  { kind: 'notified' },
];

const after = (...events: readonly OrderEvent[]): Order => events.reduce(evolve, placed('o1', request));

describe('an order', () => {
  test('goes its way, one step after the other', () => {
    const steps = way.map((_, index) => nextStep(after(...way.slice(0, index))));
    assert.deepEqual(steps, ['price', 'reserve', 'charge', 'ship', 'notify']);
    const done = after(...way);
    assert.equal(nextStep(done), undefined);
    assert.deepEqual(
      [done.state, done.paymentId, done.trackingCode, done.version],
      ['confirmed', 'pay1', 't1', 5],
    );
  });

  test('that is refused at any point before it is confirmed is undone, then rejected with the reason', () => {
    for (const index of [0, 1, 2, 3]) {
      const cancelling = after(...way.slice(0, index), { kind: 'refused', reason: 'OUT_OF_STOCK' });
      assert.equal(nextStep(cancelling), 'undo');
      const rejected = evolve(cancelling, { kind: 'undone' });
      assert.deepEqual(
        [rejected.state, rejected.reason, nextStep(rejected)],
        ['rejected', 'OUT_OF_STOCK', undefined],
      );
    }
  });

  test('takes no event out of turn: whatever comes, it is confirmed or rejected once and for all', () => {
    const refusal: OrderEvent = { kind: 'refused', reason: 'NO' };
    const event = fc.constantFrom<OrderEvent>(...way, refusal, { kind: 'undone' });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        let order = placed('o1', request);
        for (const each of events) {
          const before = order;
          try {
            order = evolve(order, each);
          } catch (thrown) {
            assert.ok(thrown instanceof HeddleError && thrown.reason === 'OUT_OF_TURN');
            continue;
          }
          assert.equal(order.version, before.version + 1);
          assert.notEqual(before.state, 'rejected');
          if (before.state === 'confirmed') assert.equal(order.state, 'confirmed');
          if (order.state === 'confirmed')
            assert.ok(order.paymentId !== undefined && order.trackingCode !== undefined);
          assert.equal(isUnderWay(order), order.state !== 'confirmed' && order.reason === undefined);
        }
      }),
    );
  });

  test('costs the sum of its lines and the shipping, to the cent', () => {
    assert.equal(totalMinor(pricing), 2 * 3995 + 490);
  });
});

describe('orderRequest', () => {
  test('reads what is asked for', () => {
    assert.deepEqual(orderRequest({ userId: ' u1 ', items: [{ productId: 'p1', quantity: 2 }] }), request);
  });

  const wrong: readonly (readonly [string, unknown])[] = [
    ['no user', { items: [{ productId: 'p1', quantity: 1 }] }],
    ['no items', { userId: 'u1', items: [] }],
    [
      'too many items',
      { userId: 'u1', items: Array.from({ length: 21 }, (_, n) => ({ productId: `p${n}`, quantity: 1 })) },
    ],
    ['a part of a product', { userId: 'u1', items: [{ productId: 'p1', quantity: 0.5 }] }],
    ['a negative quantity', { userId: 'u1', items: [{ productId: 'p1', quantity: -1 }] }],
    [
      'a product twice',
      {
        userId: 'u1',
        items: [
          { productId: 'p1', quantity: 1 },
          { productId: 'p1', quantity: 1 },
        ],
      },
    ],
    ['an item that is none', { userId: 'u1', items: ['p1'] }],
    ['a method that is a number', { userId: 'u1', method: 1, items: [{ productId: 'p1', quantity: 1 }] }],
  ];
  for (const [what, body] of wrong) {
    test(`refuses ${what}`, () => {
      assert.throws(
        () => orderRequest(body as Record<string, unknown>),
        (thrown) => thrown instanceof HeddleError && thrown.is('invalid_argument', 'INVALID_FIELD'),
      );
    });
  }
});

test('sameRequest does not mind the order of the items', () => {
  const items = [
    { productId: 'a', quantity: 1 },
    { productId: 'b', quantity: 2 },
  ];
  assert.ok(sameRequest({ ...request, items }, { ...request, items: items.toReversed() }));
  assert.ok(!sameRequest({ ...request, items }, { ...request, items: items.slice(1) }));
  assert.ok(!sameRequest(request, { ...request, userId: 'u2' }));
  assert.ok(!sameRequest(request, { ...request, method: 'invoice' }));
});
