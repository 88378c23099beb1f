// The real command under load while its configuration changes again and again, every tenth time for the worse: no request
// may fail, and every good route must be there all the time.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeRuntime } from '@heddle/kernel/node';
import { jsonAnswer } from '@heddle/proxy';
import { type HttpServer, serve } from '@heddle/wire';
import { type Contract, type ContractResult, resultOf } from '../result.ts';
import { operate, type RunningGateway, startGateway } from './heddle.ts';
import { steadyLoad } from './steady-load.ts';

const backend = 'reload';
/** 1000 by `npm run contracts -- gateway --backend reload`, fewer as a part of all tests. */
const reloads = process.env['HEDDLE_CONTRACTS'] === 'short' ? 40 : 1000;
const routes = 20;
const patienceMs = 60_000;

/** Each way to have the configuration changed is a result, and so is each way for it to be bad. */
export const reload: Contract = {
  backend,
  run: async () => {
    const stage = await Stage.open();
    try {
      const results: ContractResult[] = [];
      const cases: readonly [name: string, run: () => Promise<void>][] = [
        [
          `${reloads} changes under load, every tenth broken: nothing dropped, no good route lost`,
          () => stage.many(),
        ],
        ['one bad route among good ones goes on as it was, and is reported', () => stage.badRoute()],
        ['one file of a folder that cannot be read goes on with what it held', () => stage.folder()],
        ['back to a version before, under load', () => stage.back()],
        ['SIGHUP and the file alone', () => stage.signalAndFile()],
        ['a whole change is in its diff', () => stage.diff()],
      ];
      for (const [name, run] of cases) results.push(await resultOf(backend, '', name, run));
      return results;
    } finally {
      await stage.close();
    }
  },
};

/** What version `n` of the file says; every version is for the same requests. */
function document(n: number, upstreams: readonly string[]): string {
  const targets = n % 2 === 0 ? upstreams : upstreams.toReversed();
  const all: object[] = Array.from({ length: routes }, (_, at) => ({
    path: `/r${at}`,
    upstream: `static:///${n % 3 === 0 ? targets[at % 2] : targets.join(',')}`,
    timeoutMs: 20_000 + n,
    request: { set: { 'x-version': String(n), 'x-route': String(at) } },
  }));
  // JSON is YAML; the order of routes says nothing.
  if (n % 4 === 0) all.reverse();
  return JSON.stringify({
    routes: [...all, { path: '/version', respond: { status: 200, body: `version ${n}` } }],
  });
}

/** What is wrong with a broken one, in turn. `lost`: it is refused as a whole. */
const breakages: readonly { readonly lost: boolean; readonly broken: (text: string) => string }[] = [
  { lost: true, broken: (text) => text.slice(0, text.length / 2) },
  { lost: true, broken: (text) => text.replace('{"routes"', '{"rootes":[],"routes"') },
  { lost: true, broken: () => '' },
  { lost: true, broken: () => '{"routes":[{"path":"relative"}]}' },
  { lost: false, broken: (text) => text.replace('"timeoutMs":', '"timeOutMs":') },
  { lost: false, broken: (text) => text.replace(/static:[^"]+/, 'discovery:///nobody-knows-this-registry') },
];

class Stage {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'heddle-reload-'));
  readonly #file = path.join(this.#folder, 'gateway.json');
  readonly #upstreams: HttpServer[] = [];
  #gateway: RunningGateway | undefined;
  #last = 0;

  static async open(): Promise<Stage> {
    const stage = new Stage();
    const runtime = nodeRuntime({ name: backend, logLevel: 'error' });
    for (let count = 0; count < 2; count++)
      stage.#upstreams.push(
        await serve(
          async (req) => {
            const body = await req.body.bytes(100_000);
            return jsonAnswer(200, {
              route: `r${req.fields.get('x-route')}`,
              path: req.path,
              bytes: body.byteLength,
            });
          },
          { runtime, address: { host: '127.0.0.1', port: 0 } },
        ),
      );
    writeFileSync(stage.#file, document(0, stage.#addresses));
    stage.#gateway = await startGateway(['--config', stage.#file, '--port', '0', '--workers', '2']);
    return stage;
  }

  async close(): Promise<void> {
    const code = await this.#gateway?.stop();
    for (const each of this.#upstreams) await each.stop();
    rmSync(this.#folder, { recursive: true, force: true });
    assert.equal(code, 0, 'the gateway ends well');
  }

  get #addresses(): string[] {
    return this.#upstreams.map(({ address }) => `${address.host}:${address.port}`);
  }

  get #running(): RunningGateway {
    if (this.#gateway === undefined) throw new Error('the gateway has not been started');
    return this.#gateway;
  }

  async many(): Promise<void> {
    await this.#underLoad(async () => {
      for (let n = 1; n <= reloads; n++) {
        if (n % 10 !== 0) {
          await this.#change(n);
          continue;
        }
        const { broken, lost } = breakages[(n / 10) % breakages.length] as (typeof breakages)[number];
        writeFileSync(this.#file, broken(document(n, this.#addresses)));
        const { status, json } = await operate(this.#running, 'POST', '/reload');
        assert.equal(status === 200, !lost, `change ${n}: ${JSON.stringify(json)}`);
        assert.equal(await this.#served(), `version ${lost ? this.#last : n}`);
        if (!lost) this.#last = n;
      }
    });
  }

  async badRoute(): Promise<void> {
    await this.#underLoad(async () => {
      await this.#change(5001);
      const bad = document(5002, this.#addresses).replace('"timeoutMs":25002', '"timeoutMs":"long"');
      writeFileSync(this.#file, bad);
      const { status, json } = await operate(this.#running, 'POST', '/reload');
      assert.equal(status, 200, JSON.stringify(json));
      const [first, ...others] = json['quarantined'] as { served: string; problems: string[] }[];
      assert.equal(others.length, 0);
      assert.equal(first?.served, 'as it was');
      assert.match(first.problems[0] ?? '', /^1:\d+ expected a whole number/);
      assert.equal(await this.#served(), 'version 5002');
      this.#last = 5002;
      await this.#change(5003);
    });
  }

  async folder(): Promise<void> {
    const folder = path.join(this.#folder, 'conf.d');
    mkdirSync(folder);
    const write = (name: string, text: string): void => writeFileSync(path.join(folder, name), text);
    write('a.yaml', 'routes: [{ path: /a, respond: { status: 200, body: a1 } }]');
    write('b.yaml', 'routes: [{ path: /b, respond: { status: 200, body: b1 } }]');
    const gateway = await startGateway(['--config', folder, '--port', '0', '--workers', '1']);
    try {
      write('a.yaml', 'routes: [{ path: /a, respond: { status: 200');
      write('b.yaml', 'routes: [{ path: /b, respond: { status: 200, body: b2 } }]');
      const { json } = await operate(gateway, 'POST', '/reload');
      const text = async (at: string): Promise<string> => (await fetch(`${gateway.url}${at}`)).text();
      assert.deepEqual([await text('/a'), await text('/b')], ['a1', 'b2']);
      assert.match(JSON.stringify(json['filesKept']), /a\.yaml/);
      write('a.yaml', 'routes: [{ path: /a, respond: { status: 200, body: a3 } }]');
      await until('the file is read', async () => (await text('/a')) === 'a3');
    } finally {
      assert.equal(await gateway.stop(), 0);
    }
  }

  async back(): Promise<void> {
    await this.#underLoad(async () => {
      await this.#change(6001);
      const { json } = await operate(this.#running, 'GET', '/versions');
      const old = json['current'] as number;
      await this.#change(6002);
      const { status } = await operate(this.#running, 'POST', `/rollback?to=${old}`);
      assert.equal(status, 200);
      assert.equal(await this.#served(), 'version 6001');
      assert.equal((await operate(this.#running, 'POST', '/rollback?to=999999999')).status, 404);
      this.#last = 6001;
    });
  }

  async signalAndFile(): Promise<void> {
    await this.#underLoad(async () => {
      for (let n = 7001; n <= 7010; n++) {
        writeFileSync(this.#file, document(n, this.#addresses));
        if (n % 2 === 0) this.#running.child.kill('SIGHUP');
        await until(`version ${n} is served`, async () => (await this.#served()) === `version ${n}`);
        this.#last = n;
      }
    });
  }

  async diff(): Promise<void> {
    await this.#change(8001);
    const { json } = await operate(this.#running, 'GET', '/versions');
    await this.#change(8002);
    const { json: found } = await operate(this.#running, 'GET', `/diff?from=${String(json['current'])}`);
    const changes = found['changes'] as { at: string; from: unknown; to: unknown }[];
    const timeout = changes.find(({ at }) => at === 'routes["/r3"].timeoutMs');
    assert.deepEqual([timeout?.from, timeout?.to], [28_001, 28_002]);
    assert.ok(changes.every(({ at }) => /^routes\["\/(r\d+|version)"\]/.test(at)));
  }

  /** A good change, by the admin API; it is served when that has answered. */
  async #change(n: number): Promise<void> {
    writeFileSync(this.#file, document(n, this.#addresses));
    const { status, json } = await operate(this.#running, 'POST', '/reload');
    assert.equal(status, 200, `change ${n}: ${JSON.stringify(json)}`);
    assert.equal(await this.#served(), `version ${n}`);
    this.#last = n;
  }

  async #served(): Promise<string> {
    return (await fetch(`${this.#running.url}/version`)).text();
  }

  /** Runs something while every route is asked; all must be answered well. */
  async #underLoad(work: () => Promise<void>): Promise<void> {
    const load = steadyLoad(this.#running.url, 6, (n) => {
      const at = n % routes;
      const expected = new RegExp(`"route":"r${at}","path":"/r${at}/x","bytes":${n % 3 === 0 ? 1000 : 0}\\b`);
      const sent = n % 3 === 0 ? { method: 'POST', body: 'x'.repeat(1000) } : {};
      return { path: `/r${at}/x`, expected, ...sent };
    });
    try {
      await work();
    } finally {
      const { done, failed, failures } = await load.stop();
      assert.equal(failed, 0, `${failed} of ${done} requests failed: ${failures.join(' | ')}`);
      assert.ok(done > 0, 'there was load');
    }
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  while (!(await holds())) {
    assert.ok(performance.now() < giveUpAt, `${what}: not within ${patienceMs} ms`);
    await delay(10);
  }
}
