import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import type { Program } from '../up/program.ts';
import { claimFolder } from './data-folder.ts';
import { nodeProcesses } from './processes.ts';
import { RotatingFile } from './rotating-file.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-processes-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string, source: string): Program {
  const file = path.join(folder, `${name}.mjs`);
  writeFileSync(file, source);
  return { name, file, args: [], env: { GREETING: 'hello' }, readyMs: 5000, stopMs: 5000 };
}

async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a real process', () => {
  test('says that it is ready, is logged, and drains on SIGTERM', async () => {
    const source = `
      console.log(process.env.GREETING + ' from the child');
      const work = setInterval(() => {}, 1000);
      process.on('SIGTERM', () => { console.log('draining'); clearInterval(work); });
      process.send({ ready: { url: 'http://x' } });`;
    const child = nodeProcesses(path.join(folder, 'logs')).start(program('polite', source));
    assert.deepEqual(await child.ready, { url: 'http://x' });
    child.signal('SIGTERM');
    assert.deepEqual(await child.ended, { code: 0, signal: null });
    assert.deepEqual(child.lastLines, ['hello from the child', 'draining']);
    assert.match(
      readFileSync(path.join(folder, 'logs', 'polite.log'), 'utf8'),
      /hello from the child\ndraining/,
    );
  });

  test('that fails leaves its last lines', async () => {
    const child = nodeProcesses(path.join(folder, 'logs')).start(
      program('broken', `for (let at = 0; at < 100; at++) console.error('line ' + at); process.exit(3);`),
    );
    assert.deepEqual(await child.ended, { code: 3, signal: null });
    assert.equal(child.lastLines.at(-1), 'line 99');
    assert.ok(child.lastLines.length <= 15);
  });

  test('does not outlive a supervisor that was killed', async () => {
    const forever = program('forever', `process.send({ ready: {} }); setInterval(() => {}, 1000);`);
    const url = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
    const supervisor = path.join(folder, 'supervisor.mjs');
    writeFileSync(
      supervisor,
      `import { nodeProcesses } from ${url('processes.ts')};
       const child = nodeProcesses(${JSON.stringify(path.join(folder, 'logs'))}).start(${JSON.stringify(forever)});
       await child.ready;
       console.log(child.pid);`,
    );
    const parent = spawn(process.execPath, ['--conditions=@heddle/source', supervisor], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
    });
    process.kill(pid, 0);
    parent.kill('SIGKILL');
    await untilGone(pid);
  });
});

describe('a log file', () => {
  test('has a bound, with the newest lines in it', () => {
    const file = path.join(folder, 'bounded.log');
    const log = new RotatingFile(file, 1000);
    for (let at = 0; at < 500; at++) log.write(Buffer.from(`line ${at}\n`));
    log.close();
    assert.ok(statSync(file).size <= 1000 && statSync(`${file}.1`).size <= 1000);
    assert.match(readFileSync(file, 'utf8'), /line 499\n$/);
    assert.equal(existsSync(`${file}.2`), false);
  });
});

describe('a data folder', () => {
  test('is claimed by one process at a time', () => {
    const data = path.join(folder, 'data');
    const claim = claimFolder(data);
    assert.throws(() => claimFolder(data), {
      reason: 'DATA_FOLDER_IN_USE',
      message: new RegExp(`process ${process.pid}`),
    });
    claim.release();
    claimFolder(data).release();
  });

  test('that a dead process, or another one with its number, has claimed is free', () => {
    const data = path.join(folder, 'left');
    claimFolder(data).release();
    const gone = spawn(process.execPath, ['-e', '']);
    for (const left of [
      '',
      '{"pid":',
      JSON.stringify({ pid: process.pid, born: '1' }),
      JSON.stringify({ pid: 0x3fffff }),
    ]) {
      writeFileSync(path.join(data, 'up.lock'), left);
      claimFolder(data).release();
    }
    gone.kill();
  });

  test('that cannot be written is named, with what to do', () => {
    const message = /cannot be written: .*--data DIR/;
    assert.throws(() => claimFolder('/dev/null/data'), { reason: 'DATA_FOLDER_DENIED', message });
  });
});
