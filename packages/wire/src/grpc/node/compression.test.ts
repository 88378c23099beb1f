import assert from 'node:assert/strict';
import { test } from 'node:test';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { wholeBody } from '../../message/body.ts';
import type { Compression } from '../compression.ts';
import { compressedFrame, frame, MessageReader } from '../framing.ts';
import { fewMessagesOf } from '../messages.ts';
import { deflate, gzip } from './compression.ts';

const both: readonly Compression[] = [gzip, deflate];

test('property: what was compressed comes back, small and large', async () => {
  const contents = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    fc.nat(200_000).map((size) => new Uint8Array(size).fill(7)),
  );
  const check = fc.asyncProperty(contents, fc.constantFrom(...both), async (bytes, compression) => {
    const packed = await compression.compress(bytes);
    assert.deepEqual(
      new Uint8Array(await compression.decompress(packed, bytes.byteLength)),
      new Uint8Array(bytes),
    );
  });
  await fc.assert(check, { numRuns: 30 });
});

test('the limit is exact, on both sides of the thread pool', async () => {
  for (const compression of both)
    for (const size of [1, 1000, 20_000_000]) {
      const packed = await compression.compress(new Uint8Array(size));
      assert.equal((await compression.decompress(packed, size)).byteLength, size);
      await assert.rejects(compression.decompress(packed, size - 1), {
        code: 'resource_exhausted',
        reason: 'MESSAGE_TOO_LARGE',
      });
    }
});

test('a bomb is refused before its memory is taken', async () => {
  // A thousand times the limit in a few kilobytes, and again in large input that goes to the thread pool.
  for (const megabytes of [4, 64]) {
    const bomb = gzipSync(new Uint8Array(megabytes * 1024 * 1024));
    const before = process.memoryUsage();
    await assert.rejects(gzip.decompress(bomb, 64 * 1024), { reason: 'MESSAGE_TOO_LARGE' });
    const after = process.memoryUsage();
    const taken = after.arrayBuffers + after.external - before.arrayBuffers - before.external;
    assert.ok(taken < 1024 * 1024, `${taken} bytes were taken`);
  }
});

test('what is not compressed so is an error, never another message', async () => {
  const whole = gzipSync('hello hello hello');
  const broken = whole.slice();
  broken[broken.length - 6] = (broken[broken.length - 6] as number) ^ 1;
  for (const bytes of [
    new Uint8Array(0),
    Buffer.from('hello'),
    whole.subarray(0, whole.length - 1),
    whole.subarray(0, 12),
    broken,
    brotliCompressSync('hello'),
  ]) {
    await assert.rejects(gzip.decompress(bytes, 1000), { code: 'internal', reason: 'BAD_COMPRESSION' });
  }
  await assert.rejects(deflate.decompress(whole, 1000), { reason: 'BAD_COMPRESSION' });
});

test('a frame says that it is compressed, and its reader undoes it', async () => {
  const message = new Uint8Array(5000).fill(1);
  const framed = await compressedFrame(message, gzip);
  assert.equal(framed[0], 1);
  assert.ok(framed.byteLength < 100);
  const flags: boolean[] = [];
  const reading = {
    limitBytes: 5000,
    compression: gzip,
    onMessage: (compressed: boolean) => void flags.push(compressed),
  };
  const body = wholeBody(Buffer.concat([framed, frame(message)]));
  const read = await fewMessagesOf(body, reading, 2);
  assert.deepEqual(
    read.map((each) => each.byteLength),
    [5000, 5000],
  );
  assert.deepEqual(flags, [true, false]);
  assert.deepEqual(await compressedFrame(new Uint8Array(0), gzip), frame(new Uint8Array(0)));
});

test('the limit holds for what is inside', async () => {
  const framed = await compressedFrame(new Uint8Array(5001), gzip);
  const few = fewMessagesOf(wholeBody(framed), { limitBytes: 5000, compression: gzip }, 1);
  await assert.rejects(few, { reason: 'MESSAGE_TOO_LARGE' });
  const reader = new MessageReader(10);
  reader.push(framed);
  assert.throws(() => reader.next(), { reason: 'MESSAGE_TOO_LARGE' });
});
