// `heddle sidecar` as its users run it, beside a real control plane, and without one.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Resolver } from 'node:dns/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { becomes } from '../../../../scripts/contracts/mesh/scenarios/waiting.ts';
import { readArguments, type World } from '../command.ts';
import { sidecar } from '../commands/sidecar.ts';
import { StartedCli } from '../node/started-cli.ts';

const token = 'a-token-for-this-test-alone';
const folders: string[] = [];
const started = new Set<StartedCli>();
const application = createServer((_req, res) => res.end('hello'));
let controlPlane: StartedCli;
let planeUrl = '';
let data = '';
let dnsPort = 0;

function folder(): string {
  const made = mkdtempSync(path.join(tmpdir(), 'heddle-sidecar-'));
  folders.push(made);
  return made;
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): StartedCli {
  const cli = new StartedCli(args, env);
  started.add(cli);
  return cli;
}

async function stop(cli: StartedCli, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  cli.child.kill(signal);
  started.delete(cli);
  return cli.exited;
}

interface Running {
  readonly cli: StartedCli;
  readonly admin: string;
  readonly dns: string;
}

async function startSidecar(bootstrap: string): Promise<Running> {
  const at = ['--control-plane', planeUrl.replace('http://', ''), '--workload', 'shop/web', '--data', data];
  const env = { HEDDLE_MESH_TOKEN: bootstrap };
  const cli = run(['sidecar', ...at, '--dns', `127.0.0.1:${dnsPort}`, '--access-log'], env);
  const [, admin = '', dns = ''] = await cli.printed(/"admin":"([^"]+)","dns":"([^"]+)"/);
  return { cli, admin, dns };
}

before(async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  dnsPort = socket.address().port;
  socket.close();
  application.listen(0, '127.0.0.1');
  await once(application, 'listening');
  const rules = folder();
  data = folder();
  writeFileSync(
    path.join(rules, 'mesh.yaml'),
    `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: greeter, namespace: shop }
spec:
  hosts: [greeter.shop.example]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ number: 8080, name: http, protocol: HTTP, targetPort: ${(application.address() as AddressInfo).port} }]
  endpoints: [{ address: 127.0.0.1 }]
`,
  );
  controlPlane = run(['control-plane', '--port', '0', '--data', folder(), '--mesh', rules], {
    HEDDLE_REGISTRY_TOKEN: token,
  });
  [, planeUrl = ''] = await controlPlane.printed(/(http:\/\/127\.0\.0\.1:\d+)/);
});

after(async () => {
  for (const cli of started) await stop(cli);
  application.close();
  application.closeAllConnections();
  for (const each of folders) rmSync(each, { recursive: true, force: true });
});

async function bootstrapToken(): Promise<string> {
  const answer = await fetch(`${planeUrl}/v1/mesh/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ spiffeId: 'spiffe://cluster.local/ns/shop/sa/web' }),
  });
  return ((await answer.json()) as { readonly token: string }).token;
}

/** Through the sidecar: by the address that its name server gives for the name. */
async function call({ dns }: Running): Promise<string> {
  const resolver = new Resolver();
  resolver.setServers([dns]);
  const [address] = await resolver.resolve4('greeter.shop.example');
  const answer = await fetch(`http://${address}:8080/a?secret=1`);
  return `${answer.status} ${await answer.text()}`;
}

describe('a sidecar', () => {
  test('takes calls by name, tells of them, and the control plane knows what it has taken', async () => {
    const running = await startSidecar(await bootstrapToken());
    assert.equal(await call(running), '200 hello');
    const [line] = await running.cli.printed(/^\{.*"status":200.*$/m);
    assert.match(line, /"path":"\/a"/);
    const metrics = await (await fetch(`http://${running.admin}/metrics`)).text();
    assert.match(metrics, /http_client_requests_total\{[^}]*status_code="200"[^}]*\} 1/);
    const ready = await fetch(`http://${running.admin}/ready`);
    assert.deepEqual(
      [ready.status, ((await ready.json()) as { source: string }).source],
      [200, 'control plane'],
    );
    const shown = await fetch(`${planeUrl}/v1/mesh`, { headers: { authorization: `Bearer ${token}` } });
    const { planes } = (await shown.json()) as {
      readonly planes: readonly { workload: string; acknowledged: string; current: string }[];
    };
    assert.deepEqual(
      planes.map(({ workload, acknowledged, current }) => [workload, acknowledged === current]),
      [['shop/web', true]],
    );
    assert.equal(await stop(running.cli), 0);
  });

  test('is told nothing that is for others', async () => {
    const ask = (workload: string, authorization: string): Promise<Response> =>
      fetch(`${planeUrl}/v1/mesh/model`, {
        method: 'POST',
        headers: { authorization },
        body: JSON.stringify({ plane: 'proxy', node: 'x', workload, have: '', refused: [], waitMs: 0 }),
      });
    const bootstrap = `Bearer ${await bootstrapToken()}`;
    const statuses = await Promise.all([
      ask('shop/web', bootstrap),
      ask('shop/order', bootstrap),
      ask('vault/web', bootstrap),
      ask('shop/web', 'Bearer x.1.y'),
    ]);
    assert.deepEqual(
      statuses.map(({ status }) => status),
      [200, 403, 403, 401],
    );
  });

  test('begins without control plane and token, by what it has kept, which nobody else may read', async () => {
    await stop(controlPlane, 'SIGKILL');
    for (const file of ['identity.json', 'model.json'])
      assert.equal(statSync(path.join(data, file)).mode & 0o077, 0, file);
    const running = await startSidecar('');
    assert.equal(await call(running), '200 hello');
    const ready = await fetch(`http://${running.admin}/ready`);
    assert.equal(((await ready.json()) as { source: string }).source, 'kept');
    assert.equal(await stop(running.cli), 0);
  });

  test('reads the token in a file anew for each question (--token-file)', async () => {
    const shown = new Set<string>();
    // One that is not ready: it is asked again.
    const absent = createHttp2Server((request, response) => {
      shown.add(request.headers.authorization ?? '');
      response.stream.respond({ ':status': 503 }, { endStream: true });
    });
    absent.listen(0, '127.0.0.1');
    await once(absent, 'listening');
    const { port } = absent.address() as AddressInfo;
    const file = path.join(folder(), 'token');
    writeFileSync(file, 'the first\n');
    const place = ['--control-plane', `127.0.0.1:${port}`, '--workload', 'shop/web', '--data', folder()];
    const cli = run(['sidecar', ...place, '--dns', 'off', '--shared', '--token-file', file]);
    await becomes(
      async () => [...shown],
      (all) => all.includes('Bearer the first'),
    );
    writeFileSync(file, 'the second\n');
    await becomes(
      async () => [...shown],
      (all) => all.includes('Bearer the second'),
    );
    assert.deepEqual([...shown], ['Bearer the first', 'Bearer the second']);
    await stop(cli, 'SIGKILL');
    absent.close();
    const nowhere = run(['sidecar', ...place, '--dns', 'off', '--token-file', path.join(folder(), 'none')]);
    assert.notEqual(await nowhere.exited, 0);
    assert.match(nowhere.output, /token/);
  });

  test('says what is wrong with how it is called', () => {
    for (const [args, expected] of [
      [['--workload', 'shop/web'], /needs --control-plane/],
      [['--control-plane', '127.0.0.1:1', '--workload', 'web'], /--workload expects namespace\/name/],
      [['--control-plane', '127.0.0.1:1', '--workload', 'a/b', '--provider', 'x'], /--provider expects/],
      [['--control-plane', '127.0.0.1:1', '--workload', 'a/b', '--locality', '/'], /--locality expects/],
    ] as const)
      assert.throws(() => sidecar.run(readArguments(sidecar, args), {} as World), {
        reason: 'USAGE',
        message: expected,
      });
  });
});
