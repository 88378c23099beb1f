import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nodeRuntime } from '@heddle/kernel/node';
import { type MortalRuntime, mortalRuntime } from '@heddle/kernel/testing';
import { registryContract } from '../testing/registry-contract.ts';
import type { RegistryStage } from '../testing/registry-stage.ts';
import type { Registry } from '../registry/registry.ts';
import { EmbeddedRegistry } from './embedded-registry.ts';
import { LeaseStore } from './lease-store.ts';

const ttlMs = 1000;

/** Several registry objects over one store, as parts of one process have them. It has no server that could fail. */
async function inProcess(): Promise<RegistryStage> {
  const folder = await mkdtemp(path.join(tmpdir(), 'heddle-registry-'));
  const runtime = { ...nodeRuntime({ name: 'test', dataFolder: folder }), log: () => {} };
  const store = await LeaseStore.open(runtime, {}, ttlMs);
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
      await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

registryContract('embedded, in process', inProcess);
