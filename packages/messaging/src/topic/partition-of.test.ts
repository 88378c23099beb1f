import assert from 'node:assert/strict';
import { test } from 'node:test';
import { partitionOf } from './partition-of.ts';

test('a key stays where it is, in every release', () => {
  const at = (key: string): number => partitionOf({ key, id: 'x' }, 16);
  assert.deepEqual(['order-1', 'order-2', '', 'Zürich', '订单'].map(at), [12, 0, 12, 7, 0]);
  assert.equal(partitionOf({ key: '', id: 'order-1' }, 16), at('order-1'));
});

test('keys that look alike spread evenly', () => {
  for (const name of ['order-', 'user:', '10.0.0.', 'aaaaaaaaaaaaaaaaaaaaaaaa']) {
    const counts = Array.from({ length: 16 }, () => 0);
    for (let n = 0; n < 16_000; n += 1) bump(counts, partitionOf({ key: `${name}${n}`, id: '' }, 16));
    // Chi-square with 15 degrees of freedom: above 37.7 once in a thousand.
    const chi = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    assert.ok(chi < 45, `${name}: ${chi}`);
  }
});

function bump(counts: number[], at: number): void {
  counts[at] = (counts[at] ?? 0) + 1;
}
