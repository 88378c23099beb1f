import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SqlPool } from '@heddle/sql';
import type { Instance } from '@heddle/discovery';
import { type EmbeddedRegistry, embeddedRegistry, registryService } from '@heddle/discovery/embedded';
import { Call, perform, type Runtime, sleep } from '@heddle/kernel';
import { nodeDisk } from '@heddle/kernel/node';
import { httpClient, httpServer, type ServerPart } from '@heddle/rpc';
import { Fields, type HttpService, wholeBody } from '@heddle/wire';
import type { CheckoutKind } from '../config.ts';
import type { ServiceName } from '../service.ts';
import { shopPrograms } from '../services.ts';
import { type TestDatabases, testDatabases, testRuntime } from './databases.ts';

const token = 'the-admin-token-of-this-test';

/** One process of one service. */
interface Running {
  readonly name: ServiceName;
  readonly child: ChildProcess;
  /** The last of what it wrote to standard error. */
  log: string;
}

/** An answer of the shop. */
export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/**
 * The whole shop as separate processes over a real PostgreSQL and a registry, for tests. Requests go through clients
 * of the registry, chosen by prefix: what a gateway does.
 */
export class ShopProcesses {
  readonly databases: TestDatabases;
  readonly #registry: EmbeddedRegistry;
  readonly #registryServer: ServerPart;
  readonly #folder: string;
  readonly #checkout: CheckoutKind;
  readonly #running = new Set<Running>();
  readonly #clients: { readonly prefix: string; readonly client: ReturnType<typeof httpClient> }[];

  private constructor(
    databases: TestDatabases,
    registry: EmbeddedRegistry,
    server: ServerPart,
    folder: string,
    checkout: CheckoutKind,
  ) {
    this.#checkout = checkout;
    this.databases = databases;
    this.#registry = registry;
    this.#registryServer = server;
    this.#folder = folder;
    this.#clients = shopPrograms.map(({ name, prefix }) => ({
      prefix,
      client: httpClient({ runtime: testRuntime, registry, target: `discovery:///${name}` }),
    }));
  }

  /** Starts `instances` of each service; resolves when all are registered. */
  static async start(instances: number, checkout: CheckoutKind = 'steps'): Promise<ShopProcesses> {
    const folder = await mkdtemp(join(tmpdir(), 'heddle-shop-registry-'));
    const runtime: Runtime = { ...testRuntime, disk: nodeDisk(folder) };
    const registry = await embeddedRegistry(runtime);
    const server = httpServer(registryService(registry), { runtime });
    await server.start();
    const shop = new ShopProcesses(await testDatabases(), registry, server, folder, checkout);
    try {
      await Promise.all(
        shopPrograms.flatMap(({ name }) => Array.from({ length: instances }, () => shop.startOne(name))),
      );
      await shop.untilInstances(instances);
    } catch (error) {
      await shop.stop();
      throw error;
    }
    return shop;
  }

  /** Starts one more instance of a service; does not wait for it. */
  async startOne(name: ServiceName): Promise<void> {
    const { main } = shopPrograms.find((each) => each.name === name) ?? {};
    const { host, port } = this.#registryServer.address;
    const env = {
      PATH: process.env['PATH'],
      HEDDLE_REGISTRY: `${host}:${port}`,
      SHOP_DATABASE_URL: await this.databases.server.createDatabase(`shop_${name}`),
      SHOP_ADMIN_TOKEN: token,
      SHOP_CHECKOUT: this.#checkout,
    };
    const child = spawn(process.execPath, ['--conditions=@heddle/source', main ?? ''], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const running: Running = { name, child, log: '' };
    this.#running.add(running);
    child.stderr?.on('data', (chunk: Buffer) => {
      running.log = (running.log + chunk.toString()).slice(-20_000);
    });
    child.on('exit', () => this.#running.delete(running));
  }

  /** Resolves when each service has so many instances, no more and no fewer. */
  async untilInstances(count: number): Promise<void> {
    const found = async (name: ServiceName): Promise<number> => (await this.instances(name)).length;
    await until(`${count} instances of each service`, 60_000, async () => {
      const counts = await Promise.all(shopPrograms.map(({ name }) => found(name)));
      return counts.every((each) => each === count);
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}; the processes say: ${this.logs()}`);
    });
  }

  async instances(name: ServiceName): Promise<readonly Instance[]> {
    return (await this.#registry.instances(name)).instances;
  }

  /** The ends of what the processes wrote. */
  logs(): string {
    return [...this.#running].map(({ name, log }) => `--- ${name}\n${log.slice(-1500)}`).join('\n');
  }

  /** Sends a request as the gateway would. */
  readonly http: HttpService = (request, call) => {
    const path = request.path.split('?', 1)[0] ?? '';
    const route = this.#clients.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
    if (route === undefined) throw new Error(`no service serves ${path}`);
    return route.client.service(request, call);
  };

  /** Sends one with JSON and reads the answer. */
  async ask(method: string, path: string, content?: object, key?: string): Promise<Answer> {
    return askJson(this.http, method, path, content, key === undefined ? {} : { 'idempotency-key': key });
  }

  /** Sends one to the admin endpoint of an instance. */
  async admin(instance: Instance, method: string, path: string, content?: object): Promise<Answer> {
    const client = httpClient({
      runtime: testRuntime,
      target: instance.metadata['admin'] ?? '',
      attempts: 1,
    });
    try {
      return await askJson(client.service, method, path, content, { authorization: `Bearer ${token}` });
    } finally {
      client.close();
    }
  }

  /** What an instance measures. */
  async metrics(instance: Instance): Promise<string> {
    const client = httpClient({ runtime: testRuntime, target: `${instance.address}:${instance.port}` });
    const call = Call.root(testRuntime, testRuntime.clock.nowMs() + 5000);
    const response = await perform(client.service, emptyRequest('/metrics'), call);
    const text = new TextDecoder().decode(await response.body.bytes(1_000_000));
    client.close();
    return text;
  }

  /** kill -9 of one process of the service. Its lease lives on for a while: see `untilGone`. */
  async kill(name: ServiceName): Promise<number | undefined> {
    const { pid } = this.#oldest(name).child;
    await this.#end(name, 'SIGKILL');
    return pid;
  }

  /** Resolves when the registry has forgotten these processes: their leases are gone. */
  async untilGone(pids: readonly (number | undefined)[]): Promise<void> {
    await until('the leases of the dead are gone', 60_000, async () => {
      const all = await Promise.all(shopPrograms.map(({ name }) => this.instances(name)));
      return all.flat().every((instance) => !pids.includes(Number(instance.metadata['pid'])));
    });
  }

  /** SIGTERM to one process of the service; resolves with its exit code when it is gone. */
  terminate(name: ServiceName): Promise<number | null> {
    return this.#end(name, 'SIGTERM');
  }

  pool(name: ServiceName): Promise<SqlPool> {
    return this.databases.pool(`shop_${name}`);
  }

  /** Stops all. */
  async stop(): Promise<void> {
    for (const { client } of this.#clients) client.close();
    const ends = [...this.#running].map((each) => ended(each.child));
    for (const { child } of this.#running) child.kill('SIGTERM');
    const late = testRuntime.timers.after(15_000, () => {
      for (const { child } of this.#running) child.kill('SIGKILL');
    });
    await Promise.all(ends);
    late.cancel();
    await this.#registry.close();
    await this.#registryServer.stop();
    await this.databases.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #oldest(name: ServiceName): Running {
    const found = [...this.#running].find((each) => each.name === name);
    if (found === undefined) throw new Error(`no process of ${name} runs`);
    return found;
  }

  async #end(name: ServiceName, signal: NodeJS.Signals): Promise<number | null> {
    const victim = this.#oldest(name);
    const end = ended(victim.child);
    victim.child.kill(signal);
    return end;
  }
}

/** Resolves when the condition holds; rejects with what was waited for when it takes too long. */
export async function until(
  what: string,
  limitMs: number,
  condition: () => Promise<boolean> | boolean,
): Promise<void> {
  const { clock, timers } = testRuntime;
  const limit = clock.nowMs() + limitMs;
  while (!(await condition())) {
    if (clock.nowMs() > limit) throw new Error(`${what}: not within ${limitMs} ms`);
    await sleep(timers, 50);
  }
}

async function askJson(
  http: HttpService,
  method: string,
  path: string,
  content: object | undefined,
  more: Readonly<Record<string, string>>,
): Promise<Answer> {
  const body = wholeBody(new TextEncoder().encode(content === undefined ? '' : JSON.stringify(content)));
  const call = Call.root(testRuntime, testRuntime.clock.nowMs() + 15_000);
  const request = {
    ...emptyRequest(path),
    method,
    fields: Fields.of({ 'content-type': 'application/json', ...more }),
    body,
  };
  const response = await perform(http, request, call);
  const bytes = await response.body.bytes(1_000_000);
  return {
    status: response.status,
    body: JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>,
  };
}

function emptyRequest(path: string): Parameters<HttpService>[0] {
  return {
    method: 'GET',
    scheme: 'http',
    authority: '',
    path,
    fields: new Fields(),
    body: wholeBody(new Uint8Array()),
  };
}

function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}
