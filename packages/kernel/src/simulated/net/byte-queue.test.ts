import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteQueue } from './byte-queue.ts';

test('what comes out is what went in, however it is cut, in memory of its own', () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 20 });
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(chunks, cuts, (written, sizes) => {
      const queue = new ByteQueue();
      for (const chunk of written) queue.push(chunk);
      const expected = Buffer.concat(written);
      assert.equal(queue.size, expected.byteLength);
      const taken: Uint8Array[] = [];
      for (let cut = 0; queue.size > 0; cut++) {
        taken.push(queue.take(Math.min(queue.size, sizes[cut % sizes.length] ?? 1)));
      }
      for (const chunk of written) chunk.fill(0);
      assert.ok(expected.equals(Buffer.concat(taken)));
    }),
  );
});

test('more than there is cannot be taken; a cleared queue is empty', () => {
  const queue = new ByteQueue();
  queue.push(new Uint8Array(3));
  assert.throws(() => queue.take(4), /expected 4 bytes, the queue has 3/);
  queue.clear();
  assert.equal(queue.size, 0);
  assert.equal(queue.take(0).byteLength, 0);
});
