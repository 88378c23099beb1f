import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { frame, readFrames } from './frame.ts';

const payloads = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 6 });

function join(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

test('what was written is read', () => {
  fc.assert(
    fc.property(payloads, (parts) => {
      const bytes = join(parts.map(frame));
      const read = readFrames(bytes);
      assert.deepEqual([read.tail, read.goodBytes], ['clean', bytes.byteLength]);
      assert.deepEqual(
        read.payloads.map((part) => [...part]),
        parts.map((part) => [...part]),
      );
    }),
  );
  assert.deepEqual(readFrames(new Uint8Array(0)), { payloads: [], goodBytes: 0, tail: 'clean' });
});

test('a cut anywhere leaves the whole frames before it, and the rest is torn', () => {
  fc.assert(
    fc.property(payloads, fc.nat(), (parts, where) => {
      const frames = parts.map(frame);
      const bytes = join(frames);
      const cut = where % bytes.byteLength;
      const read = readFrames(bytes.subarray(0, cut));
      const ends = frames
        .map((_, at) => join(frames.slice(0, at + 1)).byteLength)
        .filter((end) => end <= cut);
      assert.equal(read.payloads.length, ends.length);
      assert.equal(read.goodBytes, ends.at(-1) ?? 0);
      assert.equal(read.tail, read.goodBytes === cut ? 'clean' : 'torn');
    }),
  );
});

test('one flipped bit is found wherever it is: damage if whole frames follow, torn in the last', () => {
  fc.assert(
    fc.property(payloads, fc.nat(), fc.nat(7), (parts, where, bit) => {
      const frames = parts.map(frame);
      const bytes = join(frames);
      const at = where % bytes.byteLength;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      const last = bytes.byteLength - (frames.at(-1)?.byteLength ?? 0);
      const read = readFrames(bytes);
      assert.equal(read.tail, at >= last ? 'torn' : 'damaged');
      assert.ok(read.goodBytes <= at);
    }),
  );
});
