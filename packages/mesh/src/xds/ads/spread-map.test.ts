import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SpreadMap } from './spread-map.ts';

test('is a map, and stays what it was when another is made of it', () => {
  const changes = fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.option(fc.integer())), { maxLength: 50 });
  fc.assert(
    fc.property(changes, (steps) => {
      const plain = new Map<string, number>();
      let map = new SpreadMap<number>();
      for (const [key, value] of steps) {
        const before = map;
        const [size, sorted] = [before.size, [...before.values()].toSorted((a, b) => a - b)];
        if (value === null) plain.delete(key);
        else plain.set(key, value);
        map = value === null ? map.without(key) : map.with(key, value);
        assert.equal(map.get(key), value ?? undefined);
        assert.equal(map.has(key), value !== null);
        assert.deepEqual([before.size, [...before.values()].toSorted((a, b) => a - b)], [size, sorted]);
      }
      assert.equal(map.size, plain.size);
      assert.deepEqual(
        [...map.values()].toSorted((a, b) => a - b),
        [...plain.values()].toSorted((a, b) => a - b),
      );
    }),
  );
});
