import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeRuntime } from '@heddle/kernel/node';
import type { Registry } from '../registry/registry.ts';
import { type MortalRuntime, mortalRuntime } from '@heddle/kernel/testing';
import { registryContract } from '../testing/registry-contract.ts';
import type { RegistryStage } from '../testing/registry-stage.ts';
import { tcpProxy } from '../testing/tcp-proxy.ts';
import { remoteRegistry } from './remote-registry.ts';

const ttlMs = 1000;
const token = 'sesame';
const program = fileURLToPath(new URL('../testing/registry-process.ts', import.meta.url));

/** A registry server in a process that can be killed. */
class ServerProcess {
  port = 0;
  readonly #parent: string;
  #folder = '';
  #starts = 0;
  #child: ChildProcess | undefined;

  constructor(parent: string) {
    this.#parent = parent;
  }

  async start(empty: boolean): Promise<void> {
    if (empty) this.#folder = path.join(this.#parent, `server-${this.#starts++}`);
    const args = [
      '--conditions=@heddle/source',
      program,
      this.#folder,
      String(this.port),
      String(ttlMs),
      token,
    ];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    this.port = Number(line.toString());
    assert.ok(this.port > 0);
  }

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

/** A registry server behind a proxy that can fail as a network does; clients reach it over real sockets. */
async function overSockets(): Promise<RegistryStage> {
  const parent = await mkdtemp(path.join(tmpdir(), 'heddle-registry-'));
  const runtime = { ...nodeRuntime({ name: 'client', dataFolder: parent }), log: (): void => {} };
  const server = new ServerProcess(parent);
  await server.start(true);
  const later = (delayMs: number, task: () => void): void => void runtime.timers.after(delayMs, task);
  const proxy = await tcpProxy(runtime.net, () => ({ host: '127.0.0.1', port: server.port }), later);
  const opened = new Map<Registry, MortalRuntime>();
  return {
    runtime,
    ttlMs,
    faults: {
      kill: async () => void (await server.end('SIGKILL')),
      restart: () => server.start(false),
      restartEmpty: () => server.start(true),
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
      // The dead ones cannot say good-bye; the proxy breaks their connections.
      for (const [registry, { alive }] of opened) if (alive) await registry.close();
      await proxy.close();
      const code = await server.end('SIGTERM');
      await rm(parent, { recursive: true });
      assert.ok(code === null || code === 0, 'a server that is told to stop does so, with its watches');
    },
  };
}

const faults = ['kill', 'restart', 'restartEmpty', 'cut', 'heal', 'delay'] as const;
registryContract('embedded, as a server in a process of its own', overSockets, faults);
