import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import fc from 'fast-check';
import { mergedLines, requireAvailable } from './allocation.ts';

test('mergedLines adds up, sorts, and loses nothing', () => {
  const line = fc.record({
    productId: fc.constantFrom('a', 'b', 'c', 'd'),
    quantity: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      const merged = mergedLines(lines);
      const ids = merged.map((each) => each.productId);
      assert.deepEqual(ids, [...new Set(lines.map((each) => each.productId))].toSorted());
      const sum = (all: readonly { quantity: number }[]): number =>
        all.reduce((total, each) => total + each.quantity, 0);
      assert.equal(sum(merged), sum(lines));
    }),
  );
});

test('mergedLines refuses what is no quantity', () => {
  for (const quantity of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => mergedLines([{ productId: 'a', quantity }]), HeddleError);
  }
});

test('requireAvailable names all that is short, and what is not kept at all', () => {
  const lines = [
    { productId: 'a', quantity: 3 },
    { productId: 'b', quantity: 1 },
    { productId: 'c', quantity: 1 },
  ];
  requireAvailable(
    lines,
    new Map([
      ['a', 3],
      ['b', 1],
      ['c', 5],
    ]),
  );
  assert.throws(
    () =>
      requireAvailable(
        lines,
        new Map([
          ['a', 2],
          ['b', 1],
        ]),
      ),
    (thrown) =>
      thrown instanceof HeddleError &&
      thrown.reason === 'OUT_OF_STOCK' &&
      /a: 2 of 3, c: 0 of 1/.test(thrown.message),
  );
});
