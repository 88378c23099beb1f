import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EmbeddedRegistry, embeddedRegistry, registryService } from '@heddle/discovery/embedded';
import type { Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { serve } from '@heddle/wire';

/** One server of a fleet. */
export interface EchoProcess {
  readonly id: string;
  readonly port: number;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  signal(name: NodeJS.Signals): void;
}

/** What an instance states of itself beside its name. */
export interface Stated {
  readonly weight?: number;
  readonly zone?: string;
  readonly region?: string;
  readonly version?: string;
  /** Default: a free one. */
  readonly port?: number;
}

/** A registry, and servers of `echo` that register themselves in it, each a process of its own. */
export class EchoFleet {
  readonly runtime: Runtime;
  readonly registry: EmbeddedRegistry;
  readonly #token: string;
  readonly #folder: string;
  readonly #server: Awaited<ReturnType<typeof serve>>;
  readonly #children = new Set<ChildProcess>();

  private constructor(
    runtime: Runtime,
    registry: EmbeddedRegistry,
    folder: string,
    token: string,
    server: Awaited<ReturnType<typeof serve>>,
  ) {
    this.runtime = runtime;
    this.registry = registry;
    this.#folder = folder;
    this.#token = token;
    this.#server = server;
  }

  /** `ttlMs`: how long an instance that says nothing stays in the registry. */
  static async open(ttlMs = 2000): Promise<EchoFleet> {
    const folder = await mkdtemp(join(tmpdir(), 'heddle-fleet-'));
    const runtime = nodeRuntime({ name: 'fleet', dataFolder: folder, logLevel: 'error' });
    const registry = await embeddedRegistry(runtime, { ttlMs });
    const token = runtime.random.uuid();
    const server = await serve(registryService(registry, { token }), { runtime, address: anyPort });
    return new EchoFleet(runtime, registry, folder, token, server);
  }

  /** Resolves when the server is registered. */
  async start(id: string, stated: Stated = {}): Promise<EchoProcess> {
    const file = fileURLToPath(new URL('../registered-echo.ts', import.meta.url));
    const { port } = this.#server.address;
    const args = ['--conditions=@heddle/source', file, String(port), this.#token, id, JSON.stringify(stated)];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#children.add(child);
    const gone = once(child, 'exit').then(([code]) => {
      this.#children.delete(child);
      return code as number | null;
    });
    assert.ok(child.stdout !== null);
    const line = await Promise.race([once(child.stdout, 'data'), gone]);
    assert.ok(Array.isArray(line), `the server ${id} did not start: exit code ${String(line)}`);
    const signal = (name: NodeJS.Signals): void => void child.kill(name);
    const stop = (): Promise<number | null> => {
      signal('SIGTERM');
      return gone;
    };
    return { id, port: Number(String(line[0])), stop, signal };
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await this.registry.close();
    await this.#server.stop();
    await rm(this.#folder, { recursive: true });
  }
}

const anyPort = { host: '127.0.0.1', port: 0 };
