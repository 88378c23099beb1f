import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { LineWriter } from './line-writer.ts';

/** Of those that wait for the system: they would wait for ever for what does not come. */
const limit = { timeout: 120_000 };

interface Opened {
  readonly name: string;
  readonly time: VirtualTime;
  readonly writer: LineWriter;
}

function opened(t: TestContext): Opened {
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-lines-'));
  const name = path.join(folder, 'lines');
  const file = openSync(name, 'a');
  t.after(() => {
    closeSync(file);
    rmSync(folder, { recursive: true });
  });
  const time = new VirtualTime();
  return { name, time, writer: new LineWriter(file, bareRuntime(time)) };
}

test('lines of all kinds of characters come out as they went in', (t) => {
  const { name, writer } = opened(t);
  const lines = ['{"a":1}', '', 'ä ß € 𝄞', 'x'.repeat(20_000), 'last'];
  for (const line of lines) writer.write(line);
  writer.close();
  assert.equal(readFileSync(name, 'utf8'), lines.map((line) => `${line}\n`).join(''));
});

test('what does not fill a piece is written a tenth of a second after its first line', limit, async (t) => {
  const { name, time, writer } = opened(t);
  writer.write('a');
  writer.write('b');
  await time.advance(99);
  assert.equal(readFileSync(name, 'utf8'), '');
  await time.advance(1);
  while ((await readFile(name, 'utf8')) !== 'a\nb\n');
});

test('much is written at once, and a line that is longer than a piece whole', limit, async (t) => {
  const { name, writer } = opened(t);
  const lines = ['x'.repeat(300_000), 'y'.repeat(70_000), 'z'.repeat(70_000)];
  for (const line of lines) writer.write(line);
  while ((await readFile(name, 'utf8')).length < 370_000);
  writer.close();
  const all = lines.map((line) => `${line}\n`).join('');
  while ((await readFile(name, 'utf8')) !== all);
});
