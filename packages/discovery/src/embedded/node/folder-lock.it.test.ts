import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { lockFolder } from './folder-lock.ts';

const holder = `
const { lockFolder } = await import(process.argv[1]);
await lockFolder(process.argv[2]);
process.stdout.write('held');
process.stdin.resume();
`;

describe('the lock of a folder', { timeout: 30_000 }, () => {
  let folder = '';
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'heddle-lock-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('names the process that has it, and is free when that was killed', async () => {
    const module = new URL('./folder-lock.ts', import.meta.url).href;
    const args = ['--conditions=@heddle/source', '--input-type=module', '--eval', holder, module, folder];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    await assert.rejects(lockFolder(folder), (error: Error) => {
      assert.match(error.message, new RegExp(`in use by the process ${child.pid};`));
      return 'reason' in error && error.reason === 'REGISTRY_IN_USE';
    });
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    const lock = await lockFolder(folder);
    await assert.rejects(lockFolder(folder), { code: 'failed_precondition', reason: 'REGISTRY_IN_USE' });
    await lock.release();
    await (await lockFolder(folder)).release();
  });

  it('does not take a process for the holder that only has its number', async () => {
    await writeFile(path.join(folder, 'in-use'), `${process.pid} 1`);
    await (await lockFolder(folder)).release();
  });
});
