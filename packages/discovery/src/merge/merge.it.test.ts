import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { nodeRuntime } from '@heddle/kernel/node';
import { EmbeddedRegistry } from '../embedded/embedded-registry.ts';
import { LeaseStore } from '../embedded/lease-store.ts';
import type { Registry } from '../registry/registry.ts';
import { type MortalRuntime, mortalRuntime } from '@heddle/kernel/testing';
import { registryContract } from '../testing/registry-contract.ts';
import type { RegistryStage } from '../testing/registry-stage.ts';
import { merge } from './merge.ts';

const ttlMs = 1000;

/** Two registries on disk, joined: they must be as good as one. */
async function joined(): Promise<RegistryStage> {
  const folder = await mkdtemp(path.join(tmpdir(), 'heddle-merge-'));
  const runtime = { ...nodeRuntime({ name: 'test', dataFolder: folder }), log: (): void => {} };
  const stores = [
    await LeaseStore.open(runtime, { folder: 'old' }, ttlMs),
    await LeaseStore.open(runtime, { folder: 'new' }, ttlMs),
  ];
  const opened = new Map<Registry, MortalRuntime>();
  return {
    runtime,
    ttlMs,
    faults: {},
    open: async () => {
      const own = mortalRuntime(runtime);
      const registries = stores.map((store) => new EmbeddedRegistry(own, store, ttlMs, async () => {}));
      const registry = merge(registries, { runtime: own });
      opened.set(registry, own);
      return registry;
    },
    crash: async (registry) => opened.get(registry)?.die(),
    close: async () => {
      for (const registry of opened.keys()) await registry.close();
      for (const store of stores) await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

registryContract('two embedded ones, merged', joined);
