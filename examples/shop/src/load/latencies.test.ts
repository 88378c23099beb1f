import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Latencies } from './latencies.ts';

test('percentiles are those of the sorted list, to five percent', () => {
  const list = fc.array(fc.double({ min: 0.1, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(list, fc.constantFrom(50, 90, 95, 99, 100), (all, percent) => {
      const latencies = new Latencies();
      for (const each of all) latencies.record(each);
      const exact = all.toSorted((a, b) => a - b)[Math.ceil((percent / 100) * all.length) - 1] as number;
      const found = latencies.percentileMs(percent);
      assert.ok(found >= exact * 0.9999 && found <= exact * 1.0501, `${percent} %: ${found} for ${exact}`);
    }),
  );
});

test('nothing recorded is 0; too long a time stays in', () => {
  const latencies = new Latencies();
  assert.equal(latencies.percentileMs(99), 0);
  latencies.record(1e9);
  assert.ok(latencies.percentileMs(50) > 500_000 && latencies.count === 1);
});
