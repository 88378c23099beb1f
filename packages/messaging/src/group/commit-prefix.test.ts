import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CommitPrefix } from './commit-prefix.ts';

test('the position is behind the last of those that are done without a gap', () => {
  const prefix = new CommitPrefix(10);
  for (const offset of [10, 11, 14, 15]) prefix.take(offset);
  assert.equal(prefix.done(11), false);
  assert.equal(prefix.next, 10);
  assert.equal(prefix.done(10), true);
  assert.equal(prefix.next, 12);
  assert.equal(prefix.done(15), false);
  assert.equal(prefix.done(14), true);
  assert.equal(prefix.next, 16);
});

test('in whatever order they are done, nothing undone is passed, and at the end all are', () => {
  const gaps = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(gaps, fc.infiniteStream(fc.nat()), (steps, chances) => {
      let offset = 0;
      const offsets = steps.map((step) => (offset += step));
      const prefix = new CommitPrefix(1);
      for (const each of offsets) prefix.take(each);
      const undone = [...offsets];
      while (undone.length > 0) {
        const [each = 0] = undone.splice((chances.next().value ?? 0) % undone.length, 1);
        prefix.done(each);
        assert.ok(prefix.next <= (undone.length > 0 ? Math.min(...undone) : offset + 1));
      }
      assert.equal(prefix.next, offset + 1);
    }),
  );
});
