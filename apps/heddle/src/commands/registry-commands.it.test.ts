// The commands that work on a registry, as a user starts them, on a control plane that runs.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { StartedCli } from '../node/started-cli.ts';

const token = 'sesame-0123456789-0123456789-0123456789';
const env = { HEDDLE_REGISTRY_TOKEN: token };
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-registry-'));

describe('commands on a registry', { timeout: 120_000 }, () => {
  let plane: StartedCli;
  let registry: string[] = [];
  const cli = (...args: readonly string[]): StartedCli => new StartedCli([...args, ...registry], env);
  const ended = async (...args: readonly string[]): Promise<[code: number | null, output: string]> => {
    const started = cli(...args);
    return [await started.exited, started.output];
  };
  const instances = async (): Promise<unknown> => {
    const [code, output] = await ended('ls', 'instances', 'billing', '--json');
    assert.equal(code, 0, output);
    return (JSON.parse(output) as { id: string; state: string; zone: string }[]).map(
      ({ id, state, zone }) => `${id} ${state} ${zone}`,
    );
  };

  before(async () => {
    plane = new StartedCli(['control-plane', '--port', '0', '--data', folder], env);
    const [, address = ''] = await plane.printed(/"address":"([^"]+)"/);
    registry = ['--registry', `embedded://${address}`];
  });
  after(async () => {
    plane.child.kill('SIGTERM');
    await plane.exited;
    rmSync(folder, { recursive: true, force: true });
  });

  test('register holds an entry until it is told to stop; drain takes it over and gives it back', async () => {
    const owner = cli(
      'register',
      'billing',
      '10.0.0.7:8080',
      '--id',
      'b-1',
      '--zone',
      'eu-1',
      '--tags',
      'api',
    );
    await owner.printed(/registered: b-1 at embedded:/);
    assert.deepEqual(await instances(), ['b-1 running eu-1']);
    const drain = cli('drain', 'billing', 'b-1');
    await drain.printed(/draining: b-1/);
    assert.deepEqual(await instances(), ['b-1 draining eu-1']);
    await owner.printed(/not registered, still trying: .*another process/);
    drain.child.kill('SIGINT');
    assert.equal(await drain.exited, 0);
    await owner.printed(/another process[^]*registered: b-1/);
    assert.deepEqual(await instances(), ['b-1 running eu-1']);
    owner.child.kill('SIGINT');
    assert.equal(await owner.exited, 0);
    assert.deepEqual(await instances(), []);
  });

  test('deregister takes away what a process left behind that was killed', async () => {
    const dead = cli('register', 'billing', '10.0.0.8:8080', '--id', 'b-2');
    await dead.printed(/registered: b-2/);
    dead.child.kill('SIGKILL');
    await dead.exited;
    assert.deepEqual(await ended('deregister', 'billing', 'b-2'), [
      0,
      `deregistered: b-2 at ${registry[1]}\n`,
    ]);
    assert.deepEqual(await instances(), []);
    const [code, output] = await ended('deregister', 'billing', 'b-2');
    assert.equal(code, 1);
    assert.match(output, /knows no instance "b-2" of "billing"/);
  });

  test('doctor finds all well, and says what is wrong and what to do', async () => {
    const [code, output] = await ended('doctor', 'discovery', '--json');
    assert.equal(code, 0, output);
    const { findings } = JSON.parse(output) as { findings: { check: string; result: string }[] };
    assert.deepEqual(
      findings.map(({ check, result }) => `${check} ${result}`),
      ['reach ok', 'access ok', 'latency ok', 'register ok', 'clock ok', 'watch ok', 'deregister ok'],
    );
    const [refusedCode, refused] = await new Promise<[number | null, string]>((resolve) => {
      const started = new StartedCli(['doctor', 'discovery', ...registry], {
        HEDDLE_REGISTRY_TOKEN: 'wrong',
      });
      void started.exited.then((exit) => resolve([exit, started.output]));
    });
    assert.equal(refusedCode, 1);
    assert.match(refused, /access +failed[^]*HEDDLE_REGISTRY_SECRET/);
    const away = new StartedCli(['doctor', 'discovery', '--registry', 'embedded://127.0.0.1:1'], env);
    assert.equal(await away.exited, 1);
    assert.match(away.output, /reach +failed[^]*check host and port/);
  });

  test('doctor knows what a kind of registry cannot do', async () => {
    const url = 'dns://127.0.0.1:1?srv=_{service}._tcp.test';
    const started = new StartedCli(['doctor', 'discovery', '--registry', url]);
    assert.equal(await started.exited, 1);
    assert.match(started.output, /reach +failed/);
    const register = new StartedCli(['register', 'billing', '10.0.0.1:1', '--registry', url]);
    assert.equal(await register.exited, 1);
    assert.match(register.output, /dns cannot register an instance/);
  });

  test('a wrong URL, address, instance or word is wrong usage, or named field by field', async () => {
    const wrong = async (...args: readonly string[]): Promise<[code: number | null, output: string]> => {
      const started = new StartedCli(args, env);
      return [await started.exited, started.output];
    };
    const cases: [args: string[], code: number, message: RegExp][] = [
      [['ls', 'services', '--registry', 'consl://a'], 2, /expected one of embedded, consul/],
      [['register', 'billing'], 2, /needs a service and host:port/],
      [['register', 'billing', 'nowhere', ...registry], 2, /expects host:port/],
      [
        ['register', 'billing', 'h:1', '--weight', 'x', '--protocol', 'smtp', ...registry],
        1,
        /weight: .*protocol: /,
      ],
      [['drain', 'billing', ...registry], 2, /expected a service and the id/],
      [['doctor', 'network'], 2, /examines: machine, discovery/],
    ];
    for (const [args, code, message] of cases) {
      const [found, output] = await wrong(...args);
      assert.match(output, message);
      assert.equal(found, code, args.join(' '));
    }
  });
});
