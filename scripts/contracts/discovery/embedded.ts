// The embedded registry: in this process, and as a server in a process that can be killed.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Registry, remoteRegistry } from '@heddle/discovery';
import { EmbeddedRegistry, embeddedRegistry, registryService } from '@heddle/discovery/embedded';
import {
  type MortalRuntime,
  mortalRuntime,
  type RegistryCase,
  type RegistryDoor,
  type RegistryStage,
  serverStage,
} from '@heddle/discovery/testing';
import type { Runtime } from '@heddle/kernel';
import { nodeRuntime, TlsStore } from '@heddle/kernel/node';
import { type HttpServer, serve, type ServeTls } from '@heddle/wire';
import { dataFolder } from '../../engines/cache.ts';
import { endWithUs } from '../../engines/running.ts';
import type { ContractResult } from '../result.ts';
import { certificateDoor } from './own-server.ts';
import { blockedProcessCase, type ClientProgram } from './blocked-process.ts';
import { discoveryContract, leaseFor } from './suite.ts';

const shortestMs = 2000;
const token = 'sesame';
const program = path.resolve(
  import.meta.dirname,
  '../../../packages/discovery/src/testing/registry-process.ts',
);
const needsServer = 'only a registry that is a server of its own can be without its clients';

/** Several registry objects over one store, as the parts of one process have them. */
const inProcess = discoveryContract({
  backend: 'embedded',
  prepare: async () => ({ version: '' }),
  stages: { 'in process': stageInProcess },
  cannot: {
    kill: needsServer,
    cut: needsServer,
    delay: needsServer,
    jumpClock: 'it has one clock, whose jumps the simulated tests of the registry show',
    arrivals: needsServer,
    forgetHistory: needsServer,
    auth: needsServer,
    tls: needsServer,
    ipv6: needsServer,
  },
});

const clientProgram: ClientProgram = {
  module: new URL('../../../packages/discovery/src/testing/remote-client.ts', import.meta.url),
  options: ({ port }, leaseMs) => ({ port, token, ttlMs: leaseMs, maxBlockedMs: 60_000 }),
};

/** Over sockets, with a token. */
const asServer = discoveryContract({
  backend: 'embedded',
  prepare: async () => ({ version: '' }),
  stages: { 'as a server': stageAsServer },
  more: [blockedProcessCase(clientProgram)],
});

/** Both ways of using it. */
export const embedded = {
  backend: 'embedded',
  run: async (only?: (name: string) => boolean): Promise<readonly ContractResult[]> => [
    ...(await inProcess.run(only)),
    ...(await asServer.run(only)),
  ],
};

async function stageInProcess(one: RegistryCase): Promise<RegistryStage> {
  const ttlMs = leaseFor(one, shortestMs);
  const folder = dataFolder('registry');
  const runtime = { ...nodeRuntime({ name: 'test', dataFolder: folder }), log: (): void => {} };
  const { store, ...base } = await embeddedRegistry(runtime, { ttlMs }).then((registry) => ({
    store: registry.store,
    close: () => registry.close(),
  }));
  const opened = new Map<Registry, MortalRuntime>();
  return {
    runtime,
    ttlMs,
    faults: {},
    open: async () => {
      const own = mortalRuntime(runtime);
      const registry = new EmbeddedRegistry(own, store, ttlMs, async () => {});
      opened.set(registry, own);
      return registry;
    },
    crash: async (registry) => opened.get(registry)?.die(),
    close: async () => {
      for (const registry of opened.keys()) await registry.close();
      await base.close();
      rmSync(folder, { recursive: true });
    },
  };
}

async function stageAsServer(one: RegistryCase): Promise<RegistryStage> {
  const ttlMs = leaseFor(one, shortestMs);
  const parent = dataFolder('registry');
  const runtime = { ...nodeRuntime({ name: 'client' }), log: (): void => {} };
  const server = new ServerProcess(parent, ttlMs);
  await server.start(true);
  const beside = new Beside(parent, ttlMs);
  return serverStage({
    runtime,
    ttlMs,
    target: () => ({ host: '127.0.0.1', port: server.port }),
    open: (own, address) =>
      remoteRegistry({ runtime: own, addresses: [address], token, ttlMs, timeoutMs: ttlMs }),
    faults: {
      kill: async () => void (await server.end('SIGKILL')),
      restart: () => server.start(false),
      restartEmpty: () => server.start(true),
      // A server that was started again answers nobody from where another life of it had come to.
      forgetHistory: async () => {
        await server.end('SIGKILL');
        await server.start(false);
      },
    },
    doors: {
      auth: () => beside.at('127.0.0.1'),
      tls: () => beside.withCertificates(),
      ipv6: async () => ({ ...(await beside.at('::1')), wrong: async () => ({}) }),
    },
    end: async () => {
      await beside.end();
      const code = await server.end('SIGTERM');
      rmSync(parent, { recursive: true });
      assert.ok(code === null || code === 0, 'a server that is told to stop does so, with its watches');
    },
  });
}

/** A server in this process, which ends with its stage. */
class Beside {
  readonly #folder: string;
  readonly #ttlMs: number;
  #end = async (): Promise<void> => {};

  constructor(folder: string, ttlMs: number) {
    this.#folder = folder;
    this.#ttlMs = ttlMs;
  }

  async at(host: string): Promise<RegistryDoor> {
    const ttlMs = this.#ttlMs;
    const { runtime, server } = await this.#start(host);
    const as = (given: { token?: string }): Registry =>
      remoteRegistry({ runtime, addresses: [server.address], ttlMs, timeoutMs: 2000, ...given });
    return {
      right: async () => as({ token }),
      wrong: async () => ({ 'a wrong token': as({ token: 'please' }), 'no token': as({}) }),
    };
  }

  withCertificates(): Promise<RegistryDoor> {
    return certificateDoor({
      folder: this.#folder,
      start: async ({ cert, key, ca }) => {
        const read = (file: string): string => readFileSync(file, 'utf8');
        const identities = [{ certificates: read(cert), privateKey: read(key) }];
        const source = new TlsStore({ identities, trust: read(ca) });
        const { server } = await this.#start('127.0.0.1', { source, clients: 'require' });
        return server.address;
      },
      open: (address, tls) =>
        remoteRegistry({
          runtime: this.#runtime(),
          addresses: [address],
          token,
          tls,
          ttlMs: this.#ttlMs,
          timeoutMs: 2000,
        }),
    });
  }

  end(): Promise<void> {
    return this.#end();
  }

  #runtime(): Runtime {
    return { ...nodeRuntime({ name: 'beside', dataFolder: this.#folder }), log: (): void => {} };
  }

  async #start(host: string, tls?: ServeTls): Promise<{ runtime: Runtime; server: HttpServer }> {
    const runtime = this.#runtime();
    const base = await embeddedRegistry(runtime, { folder: 'beside', ttlMs: this.#ttlMs });
    const address = { host, port: 0 };
    const service = registryService(base, { token });
    const server = await serve(service, { runtime, address, ...(tls !== undefined && { tls }) });
    this.#end = async () => {
      await base.close();
      await server.stop();
    };
    return { runtime, server };
  }
}

/** A registry server in a process that can be killed. */
class ServerProcess {
  port = 0;
  readonly #parent: string;
  readonly #ttlMs: number;
  #folder = '';
  #starts = 0;
  #child: ChildProcess | undefined;

  constructor(parent: string, ttlMs: number) {
    this.#parent = parent;
    this.#ttlMs = ttlMs;
  }

  async start(empty: boolean): Promise<void> {
    if (empty) this.#folder = path.join(this.#parent, `server-${this.#starts++}`);
    const given = [this.#folder, String(this.port), String(this.#ttlMs), token];
    const args = ['--conditions=@heddle/source', program, ...given];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    endWithUs(child);
    this.#child = child;
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    this.port = Number(line.toString());
  }

  /** The exit code; null for one that is not there or was killed. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return null;
    const exited = once(child, 'exit') as Promise<[number | null]>;
    child.kill(signal);
    const [code] = await exited;
    return code;
  }
}
