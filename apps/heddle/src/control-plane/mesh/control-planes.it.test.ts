// Several control planes over one store, and what becomes of a stock Envoy when they are killed, cut off and misled.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type Backend, startBackend } from '../../../../../scripts/contracts/mesh/scenarios/http-backend.ts';
import { answers, becomes } from '../../../../../scripts/contracts/mesh/scenarios/waiting.ts';
import { isMissing, obtain, type Place, type Running } from '../../../../../scripts/engines/engine.ts';
import { envoy, startXdsEnvoy } from '../../../../../scripts/engines/envoy.ts';
import { etcd } from '../../../../../scripts/engines/etcd.ts';
import { freePort } from '../../../../../scripts/engines/running.ts';
import { StartedCli } from '../../node/started-cli.ts';

const token = 'a-token-for-this-test-alone';
const admin = 'another-token-for-this-test-alone';
const keys = `one:${'ab'.repeat(32)}`;
/** How long nobody answers. A minute with HEDDLE_OUTAGE_MS=60000; shorter where the whole suite runs. */
const outageMs = Number(process.env['HEDDLE_OUTAGE_MS'] ?? 1500);
const { timers } = nodeRuntime({ name: 'test', logLevel: 'error' });
const folder = mkdtempSync(path.join(tmpdir(), 'heddle-planes-'));
const found = [await obtain(envoy), await obtain(etcd)];
const missing = found.find(isMissing)?.missing;

let backends: readonly Backend[] = [];

before(async () => {
  backends = [await startBackend('one'), await startBackend('two')];
});

after(async () => {
  for (const backend of backends) await backend.stop();
  rmSync(folder, { recursive: true, force: true });
});

const rulesFor = (port: number, to: Backend | undefined): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: stock, namespace: shop }
spec:
  hosts: [stock.shop.example]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ number: ${port}, name: http, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.1, ports: { http: ${to?.port} } }]
`;

function ask(port: number): Promise<string> {
  return new Promise((resolve) => {
    const headers = { host: 'stock.shop.example' };
    const request = http.get({ host: '127.0.0.1', port, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(response.statusCode === 200 ? text : `${response.statusCode}`));
    });
    request.on('error', (error) => resolve(error.message));
  });
}

/** What `GET /v1/mesh` says, as far as it is looked at here. */
interface View {
  readonly source: {
    readonly inForce?: string;
    readonly revision?: string;
    readonly problem?: string;
    readonly drift: readonly string[];
  };
  readonly rules: { readonly refused?: { readonly findings: readonly object[] } };
}

/** A control plane as a process. */
class Plane {
  readonly place: Place;
  readonly #url: string;
  readonly #cli: StartedCli;

  private constructor(cli: StartedCli, url: string) {
    const { hostname: host, port } = new URL(url);
    this.#cli = cli;
    this.#url = url;
    this.place = { host, port: Number(port) };
  }

  static async start(name: string, mesh: string, port = 0): Promise<Plane> {
    const args = ['control-plane', '--port', String(port), '--data', path.join(folder, name), '--mesh', mesh];
    const cli = new StartedCli(args, {
      HEDDLE_REGISTRY_TOKEN: token,
      HEDDLE_ADMIN_TOKEN: admin,
      HEDDLE_MESH_KEYS: keys,
    });
    const [, url = ''] = await cli.printed(/(http:\/\/127\.0\.0\.1:\d+)/);
    return new Plane(cli, url);
  }

  async asks(method: string, where: string, body?: object, by = token): Promise<Response> {
    const headers = { authorization: `Bearer ${by}`, 'content-type': 'application/json' };
    return fetch(`${this.#url}${where}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  }

  async view(): Promise<View> {
    return (await (await this.asks('GET', '/v1/mesh')).json()) as View;
  }

  async publish(text: string): Promise<Response> {
    return this.asks('POST', '/v1/mesh/rules', { set: { 'stock.yaml': text }, author: 'test' }, admin);
  }

  async kill(): Promise<void> {
    this.#cli.child.kill('SIGKILL');
    await this.#cli.exited;
  }

  async stop(): Promise<void> {
    this.#cli.child.kill('SIGTERM');
    await this.#cli.exited;
  }
}

/** Asks all the time for so long: every answer must be the same. */
async function keepsAnswering(port: number, wanted: string, forMs: number): Promise<void> {
  const untilMs = performance.now() + forMs;
  // Some times at least, also where a busy machine answers slowly.
  for (let asked = 0; asked < 10 || performance.now() < untilMs; asked++) {
    assert.equal(await ask(port), wanted);
    await sleep(timers, 10);
  }
}

describe('control planes over etcd', { skip: missing }, () => {
  test('serve the same; a proxy goes from one to the other, and keeps what it has when none answers', async () => {
    const port = await freePort();
    const store = await etcd.start({});
    const mesh = `etcd://${store.address.host}:${store.address.port}/mesh`;
    const running: (Plane | Running)[] = [];
    try {
      let first = await Plane.start('a', mesh);
      const second = await Plane.start('b', mesh);
      running.push(second);
      const node = { id: 'client.shop', cluster: 'shop' };
      const proxy = await startXdsEnvoy({ controlPlane: first.place, others: [second.place], node });
      running.push(proxy);
      const published = await first.publish(rulesFor(port, backends[0]));
      assert.equal(published.status, 200, await published.text());
      await answers(() => ask(port), 'one');
      // One authority, whoever was first.
      const roots = async (plane: Plane): Promise<string> =>
        (await plane.asks('GET', '/v1/mesh/roots')).text();
      assert.equal(await roots(first), await roots(second));
      // What is wrong is refused before it is stored, with what is wrong.
      const refused = await first.publish(rulesFor(port, backends[1]).replace('resolution', 'resolutoin'));
      assert.equal(refused.status, 400);
      assert.match(await refused.text(), /resolutoin/);
      assert.equal((await first.asks('POST', '/v1/mesh/rules', { set: {}, author: 'x' })).status, 401);

      await first.kill();
      assert.equal((await second.publish(rulesFor(port, backends[1]))).status, 200);
      await answers(() => ask(port), 'two');

      // The store is away: the one that is left serves what it has.
      await store.stop();
      await keepsAnswering(port, 'two', outageMs);
      await second.kill();
      // Nobody at all is there.
      await keepsAnswering(port, 'two', outageMs);
      running.splice(running.indexOf(second), 1);
      // One comes back without its store, with the last good rules of its own folder.
      first = await Plane.start('b', mesh, second.place.port);
      running.push(first);
      assert.notEqual((await first.view()).source.problem, undefined);
      await keepsAnswering(port, 'two', 200);
    } finally {
      for (const each of running.toReversed()) await each.stop();
      await store.stop();
    }
  });
});

describe('rules in git', { skip: missing }, () => {
  test('a commit is applied, a bad one refused, drift shown; the last good stays over a restart', async () => {
    const port = await freePort();
    const repository = path.join(folder, 'repository');
    mkdirSync(path.join(repository, 'rules'), { recursive: true });
    const git = (...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t.example', ...args], {
        cwd: repository,
        encoding: 'utf8',
      });
    const file = path.join(repository, 'rules', 'stock.yaml');
    const commit = (text: string): string => {
      writeFileSync(file, text);
      git('add', '.');
      git('commit', '-q', '-m', 'a change');
      return git('rev-parse', 'HEAD').trim();
    };
    git('init', '-q', '-b', 'main');
    const good = commit(rulesFor(port, backends[0]));
    const mesh = `git:${repository}?branch=main&folder=rules`;
    let plane = await Plane.start('g', mesh);
    const proxy = await startXdsEnvoy({
      controlPlane: plane.place,
      node: { id: 'client.shop', cluster: 'shop' },
    });
    try {
      await answers(() => ask(port), 'one');
      const bad = commit(rulesFor(port, backends[1]).replace('resolution', 'resolutoin'));
      const view = await becomes(
        () => plane.view(),
        ({ rules }) => rules.refused !== undefined,
      );
      assert.deepEqual([view.source.inForce, view.source.revision], [good, bad]);
      assert.match(JSON.stringify(view.rules.refused?.findings), /rules\/stock\.yaml/);
      await keepsAnswering(port, 'one', outageMs);
      // Also over a restart, at the bad commit.
      const { port: at } = plane.place;
      await plane.stop();
      plane = await Plane.start('g', mesh, at);
      assert.notEqual((await plane.view()).rules.refused, undefined);
      await answers(() => ask(port), 'one');
      // What only lies in the working tree is shown, and not applied.
      const fixed = commit(rulesFor(port, backends[1]));
      await answers(() => ask(port), 'two');
      writeFileSync(file, rulesFor(port, backends[0]));
      const drifted = await becomes(
        () => plane.view(),
        ({ source }) => source.drift.length > 0,
      );
      assert.deepEqual(drifted.source.drift, ['rules/stock.yaml']);
      assert.equal(drifted.source.inForce, fixed);
      assert.equal(await ask(port), 'two');
    } finally {
      await proxy.stop();
      await plane.stop();
    }
  });
});
