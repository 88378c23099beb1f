import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

const module = new URL('./natural-end.ts', import.meta.url).href;

/** Runs a program that ends so; its exit code and what it said on stderr. */
async function ending(program: string): Promise<{ readonly code: number; readonly said: string }> {
  const text = `import { endNaturally } from '${module}';\n${program}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  return { code, said };
}

test('a program that has closed everything ends at once, with its code and without a word', async () => {
  const { code, said } = await ending('endNaturally(3, 600_000);');
  assert.deepEqual([code, said], [3, '']);
});

test('what is left open is named with its place, and the program ends all the same', async () => {
  const { code, said } = await ending(`
    import { createServer } from 'node:net';
    createServer().listen(0, '127.0.0.1', () => endNaturally(1, 50));`);
  assert.equal(code, 1);
  assert.match(said, /^LEFT OPEN 0\.05 s after the end, a leak: .*tcp listening at 127\.0\.0\.1:\d+/);
});
