// A process that starts while the registry is away, with what another life of it has left on disk.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { lastKnownGood } from '@heddle/discovery';
import { recordWatch, type RegistryCase, type RegistryStage, until, user } from '@heddle/discovery/testing';
import type { Runtime } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { dataFolder } from '../../engines/cache.ts';

const withinMs = 30_000;

/** For every backend whose server can be killed. */
export const lastKnownGoodCase: RegistryCase = {
  name: 'registry down at start: a process serves from what it has on disk, says so, and goes over to the registry',
  needs: ['kill', 'restart'],
  run: async (stage) => {
    const folder = dataFolder('last-known-good');
    try {
      const { disk } = nodeRuntime({ name: 'client', dataFolder: folder });
      await throughRestart(stage, { ...stage.runtime, disk });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

async function throughRestart(stage: RegistryStage, runtime: Runtime): Promise<void> {
  const { kill, restart } = stage.faults;
  assert.ok(kill !== undefined && restart !== undefined, 'the case ran without its faults');
  const writer = await stage.open();
  await writer.register(user('a'));
  const before = lastKnownGood(await stage.open(), { runtime });
  const seen = recordWatch(before, 'users');
  await until(runtime, 'a is seen', withinMs, () => seen.ids === 'a');
  await seen.stop();
  await before.close();
  await kill();
  const after = lastKnownGood(await stage.open(), { runtime, waitMs: 200 });
  const watch = recordWatch(after, 'users');
  await until(runtime, 'a is known without the registry', withinMs, () => watch.ids === 'a');
  assert.deepEqual([watch.latest?.source, watch.latest?.stale], ['disk', true]);
  await restart();
  const isFresh = (): boolean =>
    watch.ids === 'a' && watch.latest?.source === 'registry' && !watch.latest.stale;
  await until(runtime, 'the registry itself says so', withinMs, isFresh);
  await watch.stop();
  await after.close();
}
