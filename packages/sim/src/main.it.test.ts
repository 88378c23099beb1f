import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = mkdtempSync(join(tmpdir(), 'heddle-sim-'));
after(() => rmSync(folder, { recursive: true }));

writeFileSync(
  join(folder, 'good.ts'),
  `export const scenario = { name: 'good', summary: 'Goes well.', run: (world) => world.run(100) };`,
);
writeFileSync(
  join(folder, 'careless.ts'),
  `export const scenario = { name: 'careless', summary: 'Drops a rejection.', run: (world) => {
    if (world.seed === 2) void Promise.reject(new Error('nobody caught me'));
    return world.run(100);
  } };`,
);
writeFileSync(join(folder, 'helper.ts'), 'export const other: number = 1;');

function sim(...args: string[]): { status: number | null; output: string } {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const node = [process.execPath, '--conditions=@heddle/source', main, '--folder', folder, ...args];
  const { status, stdout, stderr } = spawnSync(node[0] ?? '', node.slice(1), {
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { status, output: stdout + stderr };
}

test('a good run ends with 0', () => {
  const { status, output } = sim('--scenario', 'good', '--seeds', '3');
  assert.equal(status, 0, output);
  assert.match(output, /good: 3\/3 seeds, 0 failed/);
  assert.match(output, /all promises kept/);
});

test('what nobody catches fails the seed that was running, and the process ends with 1', () => {
  const { status, output } = sim('--seeds', '3');
  assert.equal(status, 1, output);
  assert.match(output, /FAILED careless, seed 2, .*: uncaught: Error: nobody caught me/);
  assert.match(output, /careless: 3\/3 seeds, 1 failed/);
  assert.match(output, /good: 3\/3 seeds, 0 failed/);
});

test('a wrong call ends with 2 and a clear sentence', () => {
  assert.match(sim('--scenario', 'unknown').output, /no scenario unknown in .*; there are: careless, good/);
  assert.equal(sim('--scenario', 'unknown').status, 2);
  assert.equal(sim('--seeds', 'x').status, 2);
  assert.equal(sim('--folder', join(folder, 'none')).status, 2);
});

test('help says how to call it', () => {
  const { status, output } = sim('--help');
  assert.equal(status, 0);
  assert.match(output, /--seeds N/);
});
