// A service as a user makes it: types, tests, contract, then the process beside a control plane, changed while it runs.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { hostPort } from '@heddle/discovery';
import { sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { controlPlaneRegistry, readPlanePlace } from '../registry-access.ts';
import { StartedCli } from '../node/started-cli.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../..', import.meta.url));
const bin = path.join(root, 'node_modules/.bin');
const runtime = nodeRuntime({ name: 'test', logLevel: 'error' });
const token = 'sesame-0123456789-0123456789-0123456789';

describe('heddle new', { timeout: 600_000 }, () => {
  const parent = mkdtempSync(path.join(tmpdir(), 'heddle-new-'));
  const folder = path.join(parent, 'order-history');
  const tool = (command: string, ...args: readonly string[]): Promise<{ stdout: string }> =>
    run(path.join(bin, command), args, {
      cwd: folder,
      env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env['PATH']}` },
    });

  before(async () => {
    const made = new StartedCli(['new', 'order-history', '--folder', folder]);
    assert.equal(await made.exited, 0, made.output);
    assert.match(made.output, /^made order-history in .*, 17 files/);
    // In place of `npm install`: the packages of this repository.
    symlinkSync(path.join(root, 'node_modules'), path.join(parent, 'node_modules'));
  });
  after(() => rmSync(parent, { recursive: true, force: true }));

  test('leaves no trace of the service that it is made after', () => {
    for (const file of readdirSync(folder, { recursive: true }).map(String)) {
      assert.doesNotMatch(file, /daily|greeting_/i);
      if (!/\.\w+$|file$/.test(file)) continue;
      const text = readFileSync(path.join(folder, file), 'utf8');
      assert.doesNotMatch(text, /daily.?greeting/i, file);
    }
  });

  test('makes a project with right types and tests that pass', async () => {
    await tool('tsc', '--customConditions', '@heddle/source');
    const { stdout } = await run(
      process.execPath,
      ['--conditions=@heddle/source', '--test', '--test-reporter=tap', 'src/**/*.test.ts'],
      // Without it the runner in there would speak to the one out here.
      { cwd: folder, env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
    );
    assert.match(stdout, /# pass 4\n# fail 0/);
  });

  test('writes the code that buf makes of the contract', async () => {
    const before = path.join(parent, 'gen-before');
    cpSync(path.join(folder, 'src/gen'), before, { recursive: true });
    await tool('buf', 'generate');
    await run('diff', ['-r', before, path.join(folder, 'src/gen')]);
  });

  test('refuses a folder that is in use, and names that are none', async () => {
    const again = new StartedCli(['new', 'order-history', '--folder', folder]);
    assert.equal(await again.exited, 1);
    assert.match(again.output, /is not empty\. Choose another one/);
  });

  test('heddle add puts a saga and a consumer into it, with right types and tests that pass', async () => {
    for (const [kind, name] of [
      ['saga', 'parcel-return'],
      ['consumer', 'parcel-events'],
    ] as const) {
      const added = new StartedCli(['add', kind, name, '--folder', folder]);
      assert.equal(await added.exited, 0, added.output);
      assert.match(added.output, new RegExp(`wrote src/${name}-${kind}.ts`));
    }
    const manifest = readFileSync(path.join(folder, 'package.json'), 'utf8');
    for (const name of ['data', 'messaging', 'sql'])
      assert.ok(manifest.includes(`"@heddle/${name}": "0.1.0"`));
    await tool('tsc', '--customConditions', '@heddle/source');
    const { stdout } = await run(
      process.execPath,
      ['--conditions=@heddle/source', '--test', '--test-reporter=tap', 'src/parcel-*.test.ts'],
      { cwd: folder, env: { ...process.env, NODE_TEST_CONTEXT: undefined } },
    );
    assert.match(stdout, /# pass 3\n# fail 0/);
    const again = new StartedCli(['add', 'saga', 'parcel-return', '--folder', folder]);
    assert.equal(await again.exited, 1);
    assert.match(again.output, /already there\. Choose another name/);
    const nowhere = new StartedCli(['add', 'saga', 'x', '--folder', parent]);
    assert.equal(await nowhere.exited, 1);
    assert.match(nowhere.output, /expected a service on Heddle in/);
  });

  test('heddle dev runs it beside a control plane, and again after a change', async () => {
    const env = { HEDDLE_REGISTRY_TOKEN: token };
    const plane = new StartedCli(['control-plane', '--port', '0', '--data', path.join(parent, 'plane')], env);
    const [, place = ''] = await plane.printed(/"address":"([^"]+)"/);
    const main = path.join(folder, 'src/main.ts');
    const registry = `embedded://${place}`;
    const service = new StartedCli(['dev', main], { ...env, HEDDLE_REGISTRY: registry });
    const known = controlPlaneRegistry(readPlanePlace(place, 'place'), runtime, token);
    const greeted = async (): Promise<string> => {
      const [found] = (await known.instances('order-history')).instances;
      if (found === undefined) return '';
      const url = `http://${hostPort(found)}/order_history.v1.OrderHistoryService/Greet`;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(url, { method: 'POST', headers, body: '{"name":"Ada"}' }).catch(
        () => undefined,
      );
      return ((await answer?.json()) as { text?: string } | undefined)?.text ?? '';
    };
    const until = async (text: string): Promise<void> => {
      for (const endMs = Date.now() + 120_000; (await greeted()) !== text; await sleep(runtime.timers, 100))
        assert.ok(Date.now() < endMs, `no "${text}":\n${service.output}`);
    };
    try {
      await until('Good day, Ada!');
      const source = path.join(folder, 'src/greeting.ts');
      writeFileSync(source, readFileSync(source, 'utf8').replace('Good day', 'Hello'));
      await service.printed(/greeting\.ts has changed; draining/);
      await until('Hello, Ada!');
      service.child.kill('SIGTERM');
      assert.equal(await service.exited, 0, service.output);
      assert.equal(await greeted(), '');
    } finally {
      await known.close();
      for (const each of [service, plane]) {
        each.child.kill('SIGTERM');
        await each.exited;
      }
    }
  });

  test('bin/heddle.mjs works in the folder where it is called', async () => {
    const child = spawn(process.execPath, [path.join(root, 'bin/heddle.mjs'), 'new', 'cart', '--json'], {
      cwd: parent,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const chunks: Buffer[] = [];
    for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
    const { files } = JSON.parse(Buffer.concat(chunks).toString()) as { files: string[] };
    assert.ok(files.includes('src/gen/cart/v1/cart_pb.ts'));
    assert.equal(readFileSync(path.join(parent, 'cart/src/main.ts'), 'utf8').includes('cartApp'), true);
  });
});
