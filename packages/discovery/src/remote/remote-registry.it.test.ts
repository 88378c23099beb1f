import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Address } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { type HttpServer, serve } from '@heddle/wire';
import { type EmbeddedRegistry, embeddedRegistry } from '../embedded/embedded-registry.ts';
import { registryService } from '../embedded/registry-service.ts';
import type { Registry } from '../registry/registry.ts';
import { type MortalRuntime, mortalRuntime } from '../testing/mortal-runtime.ts';
import { registryContract } from '../testing/registry-contract.ts';
import type { RegistryStage } from '../testing/registry-stage.ts';
import { type TcpProxy, tcpProxy } from '../testing/tcp-proxy.ts';
import { remoteRegistry } from './remote-registry.ts';

const ttlMs = 1000;
const token = 'sesame';

interface Server {
  readonly http: HttpServer;
  readonly registry: EmbeddedRegistry;
  readonly life: MortalRuntime;
}

/** A registry server on a real socket, behind a proxy that can fail as a network does. */
async function overSockets(): Promise<RegistryStage> {
  const parent = await mkdtemp(path.join(tmpdir(), 'heddle-registry-'));
  const quiet = { log: (): void => {} };
  const runtime = { ...nodeRuntime({ name: 'client', dataFolder: path.join(parent, 'client') }), ...quiet };
  let starts = 0;
  let folder = '';
  let address: Address = { host: '127.0.0.1', port: 0 };
  let server: Server | undefined;
  const start = async (empty: boolean): Promise<void> => {
    if (empty) folder = path.join(parent, `server-${starts++}`);
    const life = mortalRuntime({ ...nodeRuntime({ name: 'server', dataFolder: folder }), ...quiet });
    const registry = await embeddedRegistry(life, { ttlMs });
    const http = await serve(registryService(registry, { token }), { runtime: life, address });
    address = http.address;
    server = { http, registry, life };
  };
  await start(true);
  const proxy: TcpProxy = await tcpProxy(
    runtime.net,
    () => address,
    (delayMs, task) => void runtime.timers.after(delayMs, task),
  );
  const opened = new Map<Registry, MortalRuntime>();
  return {
    runtime,
    ttlMs,
    faults: {
      kill: async () => {
        server?.life.die();
        await server?.http.stop();
      },
      restart: () => start(false),
      restartEmpty: () => start(true),
      cut: proxy.cut,
      heal: proxy.heal,
      delay: proxy.delay,
    },
    open: async () => {
      const own = mortalRuntime(runtime);
      const registry = remoteRegistry({
        runtime: own,
        addresses: [proxy.address],
        token,
        ttlMs,
        timeoutMs: 800,
      });
      opened.set(registry, own);
      return registry;
    },
    crash: async (registry) => opened.get(registry)?.die(),
    close: async () => {
      for (const registry of opened.keys()) await registry.close();
      await proxy.close();
      await server?.http.stop();
      if (server?.life.alive === true) await server.registry.close();
      await rm(parent, { recursive: true });
    },
  };
}

const faults = ['kill', 'restart', 'restartEmpty', 'cut', 'heal', 'delay'] as const;
registryContract('embedded, as a server over a real socket', overSockets, faults);
