// Services register in etcd or Consul themselves: the guard watches, and keeps out what breaks others.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { type Contract, contractAnswer, contractKey, contractPath, messageContract } from '@heddle/api';
import type { Instance, Registry } from '@heddle/discovery';
import { openRegistry } from '@heddle/discovery/node';
import { type Address, sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { httpServer, type ServerPart } from '@heddle/rpc';
import { MetricRegistry } from '@heddle/telemetry';
import { consul } from '../../../../scripts/engines/consul.ts';
import { type Engine, isMissing, obtain, type Running } from '../../../../scripts/engines/engine.ts';
import { etcd } from '../../../../scripts/engines/etcd.ts';
import { ApiCatalogue } from './api-catalogue.ts';
import { ApiJudge } from './api-judge.ts';
import { ApiOuterAdmission } from './api-outer-admission.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'heddle-outer-admission-'));
const node = nodeRuntime({ name: 'control-plane', logLevel: 'warn', dataFolder: folder });
// What is looked at every five seconds is looked at at once here.
const runtime: typeof node = {
  ...node,
  timers: {
    after: (ms, task) => node.timers.after(ms === 5000 ? 50 : ms, task),
    soon: (task) => node.timers.soon(task),
  },
};
after(() => rmSync(folder, { recursive: true, force: true }));

const backends: readonly (readonly [engine: Engine<object>, url: (address: Address) => string])[] = [
  [etcd, ({ host, port }) => `etcd://${host}:${port}/registry`],
  [consul, ({ host, port }) => `consul://${host}:${port}`],
];

for (const [engine, urlOf] of backends)
  describe(`registrations in ${engine.name}`, { timeout: 240_000 }, () => {
    test('one that breaks others is left out, comes in when it is approved, and is forgotten when it has gone', async (t) => {
      const found = await obtain(engine);
      if (isMissing(found)) return t.skip(found.missing);
      const server: Running = await engine.start({});
      const open = (): Promise<Registry> => openRegistry(urlOf(server.address), { runtime });
      const stage = new Stage(await open(), engine.name);
      const guard = await stage.guard(await open());
      try {
        await stage.registers('old', orders('id', 'total'));
        await stage.until(() => stage.catalogue.entry(stage.service) !== undefined);
        await stage.registers('new', orders('id'));
        const kept = await stage.seen('new', ({ state }) => state === 'maintenance');
        const hash = kept.metadata['quarantine'] ?? '';
        assert.equal(stage.catalogue.entry(stage.service)?.quarantined[0]?.hash, hash);
        assert.equal((await stage.seen('old', () => true)).state, 'running');

        await stage.catalogue.approve(stage.service, hash, 'ada');
        await guard.release(stage.service, hash);
        const back = await stage.seen('new', ({ state }) => state === 'running');
        assert.equal(back.metadata['quarantine'], undefined);

        await stage.registers('worse', orders('other'));
        await stage.seen('worse', ({ state }) => state === 'maintenance');
        await stage.goes('worse');
        await stage.until(async () => (await stage.instances()).every(({ id }) => id !== 'worse'));
      } finally {
        await stage.close();
        await guard.stop();
        await server.stop();
      }
    });
  });

/** A process that registers, and the catalogue that judges it. */
class Stage {
  readonly service: string;
  readonly #registry: Registry;
  readonly #servers = new Map<string, ServerPart>();
  catalogue!: ApiCatalogue;

  constructor(registry: Registry, name: string) {
    this.#registry = registry;
    this.service = `order-${name}`;
  }

  async guard(registry: Registry): Promise<ApiOuterAdmission> {
    this.catalogue = await ApiCatalogue.open({
      runtime,
      usesOf: () => Promise.resolve([]),
      onBreaking: () => 'quarantine',
    });
    const { catalogue } = this;
    const judge = new ApiJudge({
      runtime,
      catalogue,
      contractMs: () => 10_000,
      onUndecided: () => 'admit',
      metrics: new MetricRegistry(),
    });
    const guard = new ApiOuterAdmission({ runtime, registry, judge, isRefused: () => false });
    await guard.start();
    return guard;
  }

  async registers(id: string, contract: Contract): Promise<void> {
    const told = contractAnswer(contract);
    const server = httpServer(
      (request) => {
        const answer = told(request);
        return answer === undefined ? Promise.reject(new Error('not served')) : Promise.resolve(answer);
      },
      { runtime },
    );
    await server.start();
    this.#servers.set(id, server);
    const { port } = server.address;
    const metadata = { [contractKey]: contractPath };
    const { problem } = await this.#registry.register({
      id,
      service: this.service,
      address: '127.0.0.1',
      port,
      protocol: 'http',
      metadata,
    });
    assert.equal(problem, undefined);
  }

  /** Stops, and takes its registration back. */
  async goes(id: string): Promise<void> {
    await this.#registry.deregister(this.service, id).catch(() => {
      // The guard has the entry.
    });
    const server = this.#servers.get(id);
    this.#servers.delete(id);
    await server?.drain();
    await server?.stop();
  }

  async instances(): Promise<readonly Instance[]> {
    return (await this.#registry.instances(this.service)).instances;
  }

  async seen(id: string, fits: (instance: Instance) => boolean): Promise<Instance> {
    let found: Instance | undefined;
    await this.until(async () => {
      found = (await this.instances()).find((one) => one.id === id && fits(one));
      return found !== undefined;
    });
    assert.ok(found !== undefined);
    return found;
  }

  /** Bounded by the test's own time. */
  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) await sleep(runtime.timers, 5);
  }

  async close(): Promise<void> {
    await this.#registry.close();
    for (const server of this.#servers.values()) {
      await server.drain();
      await server.stop();
    }
  }
}

function orders(...fields: readonly string[]): Contract {
  const properties = Object.fromEntries(fields.map((name) => [name, { type: 'string' }]));
  const schema = { type: 'object', required: fields, properties };
  const messages = { 'order.placed': { schema } };
  return {
    asyncapi: messageContract({
      title: 'orders',
      version: '1',
      topics: { orders: { action: 'send', summary: 'Orders', messages } },
    }),
  };
}
