import assert from 'node:assert/strict';
import { test } from 'node:test';
import { giveBackRead, readSpace, takeRead } from './read-space.ts';

const read = (bytes: number, fill: number): Uint8Array => {
  readSpace.fill(fill, 0, bytes);
  return takeRead(bytes);
};

test('what was taken stays as it was, whatever is read after it', () => {
  const taken = Array.from({ length: 400 }, (_, n) => read((n * 977) % 65_537, n & 0xff));
  for (const [n, chunk] of taken.entries())
    assert.ok(
      chunk.every((byte) => byte === (n & 0xff)),
      `chunk ${n}`,
    );
});

test('the last that was taken is read into again once it is given back, whole or its end', () => {
  const first = read(1000, 1);
  giveBackRead(first);
  const second = read(500, 2);
  assert.deepEqual([second.buffer, second.byteOffset], [first.buffer, first.byteOffset]);
  giveBackRead(second.subarray(100));
  const third = read(50, 3);
  assert.equal(third.byteOffset, second.byteOffset + 100);
  assert.ok(second.subarray(0, 100).every((byte) => byte === 2));
});

test('one that is not the last stays', () => {
  const first = read(100, 1);
  const second = read(100, 2);
  giveBackRead(first);
  const third = read(100, 3);
  assert.ok(
    first.every((byte) => byte === 1) &&
      second.every((byte) => byte === 2) &&
      third.every((byte) => byte === 3),
  );
});
