// The demo shop as it runs, each service a process with its own database, with a recorder loaded into each.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type EmbeddedRegistry, embeddedRegistry, registryService } from '@heddle/discovery/embedded';
import { nodeDisk } from '@heddle/kernel/node';
import { httpServer, type ServerPart } from '@heddle/rpc';
import type { ServiceName } from '../../../../examples/shop/src/service.ts';
import { shopPrograms } from '../../../../examples/shop/src/services.ts';
import {
  type TestDatabases,
  testDatabases,
  testRuntime,
} from '../../../../examples/shop/src/testing/databases.ts';
import { until } from '../../../../examples/shop/src/testing/shop-processes.ts';

const recorder = pathToFileURL(path.join(import.meta.dirname, 'recorder.ts')).href;

/** Starts it, lets `use` use it, and stops it. */
export async function withRecordedShop<T>(use: (shop: RecordedShop) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'heddle-recorded-shop-'));
  const databases = await testDatabases();
  const runtime = { ...testRuntime, disk: nodeDisk(path.join(folder, 'registry')) };
  const registry = await embeddedRegistry(runtime);
  const server = httpServer(registryService(registry), { runtime });
  await server.start();
  const shop = new RecordedShop(databases, registry, server, path.join(folder, 'spans.jsonl'));
  try {
    await shop.start();
    return await use(shop);
  } finally {
    await shop.stop();
    await registry.close();
    await server.stop();
    await databases.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The running shop. */
export class RecordedShop {
  readonly #file: string;
  readonly #databases: TestDatabases;
  readonly #registry: EmbeddedRegistry;
  readonly #server: ServerPart;
  readonly #children = new Map<ServiceName, ChildProcess>();
  #log = '';

  constructor(databases: TestDatabases, registry: EmbeddedRegistry, server: ServerPart, file: string) {
    this.#databases = databases;
    this.#registry = registry;
    this.#server = server;
    this.#file = file;
  }

  /** One process of each service; resolves when all are registered. */
  async start(): Promise<void> {
    for (const { name } of shopPrograms) await this.#launch(name, {});
    await this.#untilRegistered();
  }

  /** Ends the order service and starts one that also writes a table of the payment service, in that one's database. */
  async letOrderDrift(): Promise<void> {
    const old = this.#children.get('order');
    const gone = new Promise((resolve) => old?.once('exit', resolve));
    old?.kill('SIGTERM');
    await gone;
    const foreign = await this.#databases.server.createDatabase('shop_payment');
    await this.#launch('order', { RECORD_FOREIGN_DATABASE: foreign });
    await this.#untilRegistered();
  }

  /** What has been recorded so far, each line parsed. */
  recorded(): unknown[] {
    const lines = readFileSync(this.#file, 'utf8').trim().split('\n');
    return lines.map((line): unknown => JSON.parse(line));
  }

  async #launch(name: ServiceName, more: Readonly<Record<string, string>>): Promise<void> {
    const { host, port } = this.#server.address;
    const { main = '' } = shopPrograms.find((each) => each.name === name) ?? {};
    const env = {
      PATH: process.env['PATH'],
      HEDDLE_REGISTRY: `${host}:${port}`,
      SHOP_DATABASE_URL: await this.#databases.server.createDatabase(`shop_${name}`),
      SHOP_ADMIN_TOKEN: 'the-admin-token-of-this-run',
      RECORD_TO: this.#file,
      RECORD_SERVICE: name,
      ...more,
    };
    const args = ['--conditions=@heddle/source', '--import', recorder, main];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (chunk: Buffer) => {
      this.#log = (this.#log + chunk.toString()).slice(-4000);
    });
    this.#children.set(name, child);
  }

  async #untilRegistered(): Promise<void> {
    await until('every service is registered', 120_000, async () => {
      const found = await Promise.all(shopPrograms.map(({ name }) => this.#registry.instances(name)));
      return found.every(({ instances }) => instances.length === 1);
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}; the processes say: ${this.#log}`);
    });
  }

  /** Sends a request to a service and reads the answer, whatever its status. */
  async ask(
    name: ServiceName,
    method: string,
    target: string,
    content?: object,
  ): Promise<Readonly<Record<string, unknown>>> {
    const [instance] = (await this.#registry.instances(name)).instances;
    const response = await fetch(`http://${instance?.address}:${instance?.port}${target}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(content !== undefined && { body: JSON.stringify(content) }),
      signal: AbortSignal.timeout(20_000),
    });
    return (await response.json()) as Readonly<Record<string, unknown>>;
  }

  /** Ends all processes. */
  async stop(): Promise<void> {
    const running = [...this.#children.values()].filter(
      ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
    );
    const ends = running.map((child) => new Promise((resolve) => child.once('exit', resolve)));
    for (const child of running) child.kill('SIGTERM');
    const late = testRuntime.timers.after(15_000, () => {
      for (const child of running) child.kill('SIGKILL');
    });
    await Promise.all(ends);
    late.cancel();
  }
}
