import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StreamTable } from './stream-table.ts';

test('a stream table holds what a Map would', () => {
  const id = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0x7fff_ff00, max: 0x7fff_ffff }));
  const operation = fc.tuple(fc.constantFrom('set', 'delete'), id);
  const property = fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
    const table = new StreamTable<number>();
    const model = new Map<number, number>();
    for (const [turn, [what, key]] of operations.entries()) {
      if (what === 'set') {
        table.set(key, turn);
        model.set(key, turn);
      } else {
        table.delete(key);
        model.delete(key);
      }
      assert.equal(table.size, model.size);
    }
    for (const key of operations.map(([, each]) => each)) assert.equal(table.get(key), model.get(key));
    const numeric = (a: number, b: number): number => a - b;
    assert.deepEqual(table.values().toSorted(numeric), [...model.values()].toSorted(numeric));
  });
  fc.assert(property, { seed: 9113, numRuns: 500 });
});
