import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StreamTable } from './stream-table.ts';

test('holds what a Map would hold, whatever comes and goes', () => {
  // Few numbers, so that they collide, and enough steps for the table to grow.
  const step = fc.record({ id: fc.integer({ min: 0, max: 200 }), add: fc.boolean() });
  const parity = fc.constantFrom(0, 1);
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), parity, (steps, odd) => {
      const table = new StreamTable<{ readonly id: number }>();
      const model = new Map<number, { readonly id: number }>();
      for (const { id: half, add } of steps) {
        // Far-off numbers share a home with near ones.
        const id = (half % 3 === 0 ? half * 1_000_003 : half) * 2 + odd;
        if (!add) {
          table.delete(id);
          model.delete(id);
        } else if (!model.has(id)) {
          const stream = { id };
          table.add(stream);
          model.set(id, stream);
        }
        assert.equal(table.size, model.size);
        assert.equal(table.get(id), model.get(id));
      }
      for (const [id, stream] of model) assert.equal(table.get(id), stream);
      assert.deepEqual(new Set(table.values()), new Set(model.values()));
    }),
  );
});

test('numbers up to the last of a connection', () => {
  const table = new StreamTable<{ readonly id: number }>();
  const last = { id: 0x7fff_ffff };
  table.add(last);
  assert.equal(table.get(0x7fff_ffff), last);
  assert.equal(table.get(1), undefined);
  table.delete(0x7fff_ffff);
  assert.equal(table.size, 0);
});

test('streams may end while they are walked over', () => {
  const table = new StreamTable<{ readonly id: number }>();
  for (let id = 1; id < 200; id += 2) table.add({ id });
  for (const { id } of table.values()) table.delete(id);
  assert.equal(table.size, 0);
});
