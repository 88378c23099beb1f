import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readLines } from './line-reader.ts';

async function linesOf(chunks: readonly Uint8Array[], longestBytes = 1000): Promise<string[]> {
  const source = (async function* () {
    yield* chunks;
  })();
  const lines: string[] = [];
  for await (const line of readLines(source, longestBytes)) lines.push(new TextDecoder().decode(line));
  return lines;
}

test('lines are the same however the bytes are cut', async () => {
  const texts = fc.array(fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\n')));
  await fc.assert(
    fc.asyncProperty(texts, fc.infiniteStream(fc.nat(9)), async (lines, cuts) => {
      const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
      const chunks: Uint8Array[] = [];
      let at = 0;
      for (const size of cuts) {
        if (at >= bytes.byteLength) break;
        chunks.push(bytes.subarray(at, at + size));
        at += size;
      }
      assert.deepEqual(await linesOf(chunks), lines);
    }),
  );
});

test('a last line without its newline was cut off and is no line', async () => {
  assert.deepEqual(await linesOf([new TextEncoder().encode('a\nb')]), ['a']);
});

test('a line that never ends is refused', async () => {
  const chunk = new TextEncoder().encode('x'.repeat(100));
  await assert.rejects(linesOf(Array.from({ length: 20 }, () => chunk)), { reason: 'LINE_TOO_LONG' });
});
