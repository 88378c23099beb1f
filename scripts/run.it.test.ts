// `scripts/run.mjs` is between npm and every program: exit codes, signals and arguments must pass through it.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { root } from './files.ts';
import { isInstalled } from './setup.mjs';

const program = `
const [what, ...rest] = process.argv.slice(2);
process.on('SIGTERM', () => process.exit(9));
console.log(JSON.stringify({ pid: process.pid, rest, conditions: process.execArgv }));
if (what === 'exit') process.exit(7);
setInterval(() => {}, 1000);
`;

interface Hello {
  readonly pid: number;
  readonly rest: string[];
  readonly conditions: string[];
}

describe('scripts/run.mjs', () => {
  let folder = '';
  let target = '';

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'heddle-run-'));
    writeFileSync(path.join(folder, 'program.ts'), program);
    target = path.relative(root, path.join(folder, 'program.ts'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const start = (...args: string[]): ChildProcess =>
    spawn(process.execPath, ['scripts/run.mjs', ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });

  it('passes arguments, the source condition and the exit code', async () => {
    const child = start(target, 'exit', 'kernel', '--json');
    const [hello, [code]] = await Promise.all([greeting(child), once(child, 'exit')]);
    assert.deepEqual(hello.rest, ['kernel', '--json']);
    assert.deepEqual(hello.conditions, ['--conditions=@heddle/source']);
    assert.equal(code, 7);
  });

  it('passes SIGTERM on and waits for the program to end in its own way', async () => {
    const child = start(target, 'wait');
    await greeting(child);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [9, null]);
  });

  it('ends the program when whoever started the command is killed', async () => {
    const script = `node scripts/run.mjs ${target} wait & wait`;
    const shell = spawn('sh', ['-c', script], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] });
    const { pid } = await greeting(shell);
    shell.kill('SIGKILL');
    // The pipe closes when its last writer, the program, has ended.
    await once(shell, 'close');
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });

  it('says in a sentence that a target is missing', async () => {
    const child = start('apps/none/src/main.ts');
    const [lines, [code]] = await Promise.all([collect(child), once(child, 'exit')]);
    assert.deepEqual(lines, ['heddle: apps/none/src/main.ts is not part of this version of Heddle.']);
    assert.equal(code, 1);
  });
});

describe('isInstalled', () => {
  const wanted = {
    '': {},
    'node_modules/a': { version: '1.0.0' },
    'node_modules/a-darwin-arm64': { version: '1.0.0', optional: true },
  };
  const cases: [what: string, installed: object | undefined, expected: boolean][] = [
    ['nothing was installed', undefined, false],
    ['another version is installed', { 'node_modules/a': { version: '0.9.0' } }, false],
    ['a package is missing', {}, false],
    ['only the package of another platform is missing', { 'node_modules/a': { version: '1.0.0' } }, true],
  ];

  for (const [what, installed, expected] of cases) {
    it(`is ${expected} when ${what}`, () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'heddle-installed-'));
      mkdirSync(path.join(folder, 'node_modules'));
      writeFileSync(path.join(folder, 'package-lock.json'), JSON.stringify({ packages: wanted }));
      const record = path.join(folder, 'node_modules/.package-lock.json');
      if (installed !== undefined) writeFileSync(record, JSON.stringify({ packages: installed }));
      const actual = isInstalled(folder);
      rmSync(folder, { recursive: true });
      assert.equal(actual, expected);
    });
  }
});

async function greeting(child: ChildProcess): Promise<Hello> {
  assert.ok(child.stdout);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return JSON.parse(line) as Hello;
}

async function collect(child: ChildProcess): Promise<string[]> {
  assert.ok(child.stderr);
  const lines: string[] = [];
  for await (const line of createInterface(child.stderr)) lines.push(line);
  return lines;
}
