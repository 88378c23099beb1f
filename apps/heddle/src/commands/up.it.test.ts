import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { readUpState } from '../node/data-folder.ts';
import { StartedCli } from '../node/started-cli.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-up-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const free = ['--port', '0', '--console-port', '0'];
const limit = { timeout: 180_000 };

function data(name: string): string[] {
  return ['--data', path.join(folder, name)];
}

async function urls(cli: StartedCli): Promise<{ console: string; gateway: string }> {
  const [, console = '', gateway = ''] = await cli.printed(/ready\n +console +(\S+)\n +gateway +(\S+)/);
  return { console, gateway };
}

async function until<T>(probe: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const found = await probe().catch(() => undefined);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The processes that `up` has started, by what they run. */
async function pidOf(cli: StartedCli, word: string): Promise<number | undefined> {
  const children = readFileSync(`/proc/${cli.child.pid}/task/${cli.child.pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean);
  const found = children.find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(word),
  );
  return found === undefined ? undefined : Number(found);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('heddle up', { timeout: 600_000 }, () => {
  test('starts, serves, brings back what dies, and stops in order', limit, async () => {
    const cli = new StartedCli(['up', ...free, ...data('whole')]);
    const at = await urls(cli);
    assert.equal((await fetch(`${at.gateway}/readyz`)).status, 200);
    const page = await fetch(at.console);
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'; script-src 'self'/);
    assert.match(cli.output, /sign in +as admin with [\w-]{20} \(shown this once/);
    assert.equal((await fetch(`${at.console}/api/overview`)).status, 401);
    const [, place = ''] = data('whole');
    const headers = { authorization: `Bearer ${readUpState(place).token}` };
    const overview = await until(async () => {
      const answer = (await (await fetch(`${at.console}/api/overview`, { headers })).json()) as {
        services: { name: string }[];
      };
      return answer.services.length > 0 ? answer.services : undefined;
    });
    assert.deepEqual(
      overview.map(({ name }) => name),
      ['gateway'],
    );

    const listed = new StartedCli(['ls', 'instances', '--json', ...data('whole')]);
    assert.equal(await listed.exited, 0);
    const [instance] = JSON.parse(listed.output) as { service: string; state: string }[];
    assert.deepEqual([instance?.service, instance?.state], ['gateway', 'running']);

    const second = new StartedCli(['up', ...free, ...data('whole')]);
    assert.equal(await second.exited, 1);
    assert.match(
      second.output,
      /another heddle up \(process \d+\) is running on the data folder .*--data DIR/,
    );

    const gatewayPid = await pidOf(cli, 'gateway');
    assert.ok(gatewayPid);
    process.kill(gatewayPid, 'SIGKILL');
    await cli.printed(/gateway was killed by SIGKILL; starting it again in 0\.5 s/);
    await cli.printed(/gateway is back/);
    assert.equal((await fetch(`${at.gateway}/readyz`)).status, 200);

    cli.child.kill('SIGTERM');
    assert.equal(await cli.exited, 0);
    assert.match(cli.output, /stop gateway[^]*stop control plane[^]*stopped\n$/);
    await assert.rejects(fetch(at.console));
  });

  test('leaves nothing behind when it is killed', limit, async () => {
    const cli = new StartedCli(['up', ...free, ...data('killed')]);
    await urls(cli);
    const pids = await Promise.all(['gateway', 'control-plane'].map((word) => pidOf(cli, word)));
    cli.child.kill('SIGKILL');
    await cli.exited;
    await until(async () => (pids.some((pid) => pid === undefined || isAlive(pid)) ? undefined : true));
    const again = new StartedCli(['up', ...free, ...data('killed')]);
    await urls(again);
    again.child.kill('SIGINT');
    assert.equal(await again.exited, 0);
    assert.match(again.output, /stopped\n$/);
  });

  test('what it leaves is deleted by heddle clean, and nothing else', limit, async () => {
    const cli = new StartedCli(['up', ...free, ...data('left')]);
    await urls(cli);
    const busy = new StartedCli(['clean', ...data('left')]);
    assert.equal(await busy.exited, 1, busy.output);
    assert.match(busy.output, /another heddle up \(process \d+\) is running/);
    cli.child.kill('SIGINT');
    assert.equal(await cli.exited, 0);
    writeFileSync(path.join(folder, 'left', 'mine.txt'), 'not of heddle');
    const cleaned = new StartedCli(['clean', ...data('left')]);
    assert.equal(await cleaned.exited, 0, cleaned.output);
    assert.deepEqual(readdirSync(path.join(folder, 'left')), ['mine.txt']);
    const again = new StartedCli(['clean', ...data('left')]);
    assert.equal(await again.exited, 0);
    assert.match(again.output, /there is nothing of heddle up in /);
    rmSync(path.join(folder, 'left', 'mine.txt'));
    mkdirSync(path.join(folder, 'left', 'logs'));
    assert.equal(await new StartedCli(['clean', ...data('left')]).exited, 0);
    assert.ok(!existsSync(path.join(folder, 'left')));
  });

  test('a second signal ends it at once', limit, async () => {
    const cli = new StartedCli(['up', ...free, ...data('twice')]);
    await urls(cli);
    const pids = await Promise.all(['gateway', 'control-plane'].map((word) => pidOf(cli, word)));
    cli.child.kill('SIGINT');
    await cli.printed(/stopping/);
    cli.child.kill('SIGINT');
    assert.equal(await cli.exited, 130);
    await until(async () => (pids.some((pid) => pid === undefined || isAlive(pid)) ? undefined : true));
  });

  test('says which port is in use, and by what option to change it', limit, async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const cli = new StartedCli(['up', '--port', '0', '--console-port', String(port), ...data('port')]);
    assert.equal(await cli.exited, 1);
    server.close();
    const sentence = `port ${port} on 127.0.0.1, which the console wants, is in use by another program`;
    assert.ok(cli.output.includes(sentence), cli.output);
    assert.match(cli.output, /--console-port/);
    assert.doesNotMatch(cli.output, /\n {4}at /);
  });

  test('shows the last lines of a program that cannot start, and stops the others', limit, async () => {
    const config = path.join(folder, 'wrong.yaml');
    writeFileSync(config, 'routes:\n  - { path: x, upstream: "h:1" }\n');
    const cli = new StartedCli(['up', ...free, '--config', config, ...data('wrong')]);
    assert.equal(await cli.exited, 1);
    assert.match(cli.output, /✘ gateway/);
    assert.match(cli.output, /wrong\.yaml:2:13: routes\[0\]\.path: expected a path/);
    assert.match(cli.output, /✔ stop control plane/);
    assert.match(cli.output, /The logs are in /);
  });

  test('says what is wrong with the data folder', limit, async () => {
    const cli = new StartedCli(['up', ...free, '--data', '/dev/null/x']);
    assert.equal(await cli.exited, 1);
    assert.match(cli.output, /^heddle: the data folder \/dev\/null\/x cannot be written: .*\n$/);
  });
});

describe('the command line', { timeout: 120_000 }, () => {
  for (const [args, code, pattern] of [
    [['--help'], 0, /Usage: heddle <command>/],
    [[], 2, /Usage: heddle <command>/],
    [['upp'], 2, /there is no command "upp"/],
    [['up', '--prot', '1'], 2, /Unknown option '--prot'.*heddle up --help/],
    [['up', '--checkout', 'cash'], 2, /--checkout must be steps, saga, tcc or 2pc; found "cash"/],
    [['up', '--help'], 0, /Examples:\n {2}heddle up --shop/],
    [['gateway'], 2, /needs --config FILE/],
    [['gateway', '--config', '/nowhere.yaml'], 1, /the gateway configuration \/nowhere\.yaml cannot be read/],
    [['ls', 'things'], 2, /needs "services", "instances" or "proxies"/],
    [['ls', 'services', '--data', '/nowhere'], 1, /no heddle up is ready on the data folder \/nowhere/],
    [['shop', 'fault', 'order', 'burn'], 2, /fault <service> slow\|fail\|kill\|off/],
    [['control-plane', '--port', '0'], 1, /HEDDLE_REGISTRY_TOKEN is not set/],
  ] as const) {
    test(`heddle ${args.join(' ')}`, limit, async () => {
      const cli = new StartedCli(args, { HEDDLE_REGISTRY_TOKEN: '' });
      assert.equal(await cli.exited, code, cli.output);
      assert.match(cli.output, pattern);
      assert.ok(!cli.output.includes('\u001b'), 'no colours where there is no terminal');
    });
  }

  test('a gateway file can be checked without running it', limit, async () => {
    const config = path.join(folder, 'fine.yaml');
    writeFileSync(config, 'routes:\n  - { path: /x, upstream: "h:1" }\n');
    const cli = new StartedCli(['gateway', '--config', config, '--check']);
    assert.equal(await cli.exited, 0);
    assert.match(cli.output, /1 route, no problems/);
  });
});
