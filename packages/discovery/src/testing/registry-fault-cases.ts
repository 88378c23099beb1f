import assert from 'node:assert/strict';
import { sleep } from '@heddle/kernel';
import type { DesiredRegistration, Registry } from '../registry/registry.ts';
import { type RegistryCase, user, userIds } from './registry-cases.ts';
import { type RegistryStage, seenWithin, until } from './registry-stage.ts';
import { recordWatch } from './watch-record.ts';

// How long a client may take to notice that the registry is back: the longest back-off, and a very busy machine.
const backWithinMs = 30_000;

/** Holds `check` true for as long as `forMs`. */
async function always(stage: RegistryStage, forMs: number, check: () => void | Promise<void>): Promise<void> {
  const { clock, timers } = stage.runtime;
  const endMs = clock.nowMs() + forMs;
  while (clock.nowMs() < endMs) {
    await check();
    await sleep(timers, 20);
  }
}

function need<T>(fault: T | undefined): T {
  assert.ok(fault !== undefined, 'a case ran without the fault that it needs');
  return fault;
}

async function isBack(stage: RegistryStage, held: DesiredRegistration, reader: Registry): Promise<void> {
  await until(stage.runtime, 'the instance is registered again', backWithinMs, async () => {
    const { id, service } = held.instance;
    const { instances } = await reader.instances(service).catch(() => ({ instances: [] }));
    return held.registered && instances.some((instance) => instance.id === id);
  });
}

/** What a lease is for. */
export const leaseCases: readonly RegistryCase[] = [
  {
    name: 'a registration outlives its lease many times',
    keeps: true,
    run: async (stage) => {
      const registry = await stage.open();
      const held = await registry.register(user('a'));
      const flips: boolean[] = [];
      held.subscribe((registered) => flips.push(registered));
      const watch = recordWatch(await stage.open(), 'users');
      await always(stage, 3 * stage.ttlMs, () => assert.equal(held.registered, true));
      assert.deepEqual([watch.snapshots.length, watch.ids, flips], [1, 'a', []]);
      await watch.stop();
    },
  },
  {
    name: 'an instance that dies is gone within its lease and a second; the others stay',
    uses: ['register', 'leases'],
    run: async (stage) => {
      const [dying, living, reader] = [await stage.open(), await stage.open(), await stage.open()];
      await dying.register(user('a'));
      await living.register(user('b'));
      const watch = recordWatch(reader, 'users');
      await until(stage.runtime, 'both are seen', seenWithin(stage), () => watch.ids === 'a,b');
      await stage.crash(dying);
      await until(stage.runtime, 'the dead one has gone', stage.ttlMs + 1000, () => watch.ids === 'b');
      await watch.stop();
    },
  },
  {
    name: 'a new start after a crash has its id at once, and keeps it when the old lease ends',
    run: async (stage) => {
      const dying = await stage.open();
      await dying.register(user('a', { address: '10.0.0.1' }));
      await stage.crash(dying);
      const reborn = await stage.open();
      const held = await reborn.register(user('a', { address: '10.0.0.2' }));
      assert.equal(held.registered, true, held.problem?.message ?? 'not registered');
      await always(stage, 2 * stage.ttlMs, async () => {
        const { instances } = await reborn.instances('users');
        assert.deepEqual(
          instances.map(({ address }) => address),
          ['10.0.0.2'],
        );
      });
    },
  },
  {
    name: 'of two processes with one id the newest has it; the other hears why, and returns when that has gone',
    uses: ['register', 'leases', 'takeover'],
    run: async (stage) => {
      const [first, second] = [await stage.open(), await stage.open()];
      const loser = await first.register(user('a', { address: '10.0.0.1' }));
      const winner = await second.register(user('a', { address: '10.0.0.2' }));
      await until(
        stage.runtime,
        'the first is told',
        2 * stage.ttlMs,
        () => loser.problem?.reason === 'LEASE_SUPERSEDED',
      );
      assert.deepEqual([loser.registered, winner.registered], [false, true]);
      await always(stage, stage.ttlMs, async () => {
        const { instances } = await second.instances('users');
        assert.deepEqual(
          instances.map(({ address }) => address),
          ['10.0.0.2'],
        );
      });
      await second.deregister('users', 'a');
      await isBack(stage, loser, first);
    },
  },
];

/** Keeps the event loop busy: no timer, no byte gets through. */
function block(stage: RegistryStage, forMs: number): void {
  const { clock } = stage.runtime;
  const endMs = clock.nowMs() + forMs;
  while (clock.nowMs() < endMs);
}

/** What must survive when this process does nothing for a while. */
export const blockedCases: readonly RegistryCase[] = [
  {
    name: 'an event loop that is blocked for two leases: what was registered is there again, and the watch is right',
    uses: ['register', 'leases'],
    alone: true,
    run: async (stage) => {
      const [writer, reader] = [await stage.open(), await stage.open()];
      const held = await writer.register(user('a'));
      const watch = recordWatch(reader, 'users');
      await until(stage.runtime, 'a is seen', seenWithin(stage), () => watch.ids === 'a');
      block(stage, 2 * stage.ttlMs);
      assert.equal(held.registered, false, 'the lease is treated as lost, though nothing has told us');
      await isBack(stage, held, reader);
      await until(
        stage.runtime,
        'the watch has it',
        backWithinMs,
        () => watch.ids === 'a' && watch.latest?.stale === false,
      );
      await writer.register(user('b'));
      await until(stage.runtime, 'changes come', seenWithin(stage), () => watch.ids === 'a,b');
      await watch.stop();
    },
  },
];

/** What must survive when the registry does not. */
export const faultCases: readonly RegistryCase[] = [
  {
    name: 'registry down at start: registering resolves, says so, and comes true when the registry is there',
    needs: ['kill', 'restart'],
    run: async (stage) => {
      await need(stage.faults.kill)();
      const [writer, reader] = [await stage.open(), await stage.open()];
      const held = await writer.register(user('a'));
      assert.deepEqual([held.registered, held.problem?.code], [false, 'unavailable']);
      const watch = recordWatch(reader, 'users');
      await need(stage.faults.restart)();
      await isBack(stage, held, reader);
      await until(stage.runtime, 'the watch sees it', backWithinMs, () => watch.ids === 'a');
      assert.deepEqual([reader.problem, writer.problem, held.problem], [undefined, undefined, undefined]);
      await watch.stop();
    },
  },
  {
    name: 'registry killed and restarted: watchers keep what they know, say that it is stale, and lose nothing',
    needs: ['kill', 'restart'],
    run: async (stage) => {
      const [writer, reader] = [await stage.open(), await stage.open()];
      const held = await writer.register(user('a'));
      const watch = recordWatch(reader, 'users');
      await until(stage.runtime, 'a is seen', seenWithin(stage), () => watch.ids === 'a');
      await need(stage.faults.kill)();
      await until(stage.runtime, 'it is stale', backWithinMs, () => watch.latest?.stale === true);
      assert.equal(watch.ids, 'a', 'the last known good is kept');
      await until(stage.runtime, 'the gauge falls', stage.ttlMs + 1000, () => !held.registered);
      await need(stage.faults.restart)();
      await isBack(stage, held, reader);
      await until(stage.runtime, 'it is fresh', backWithinMs, () => watch.latest?.stale === false);
      await writer.register(user('b'));
      await until(stage.runtime, 'changes come again', seenWithin(stage), () => watch.ids === 'a,b');
      await watch.stop();
    },
  },
  {
    name: 'registry wiped: all that live register again, and watchers end with them',
    needs: ['kill', 'restartEmpty'],
    run: async (stage) => {
      const [first, second, reader] = [await stage.open(), await stage.open(), await stage.open()];
      const held = [await first.register(user('a')), await second.register(user('b'))];
      const watch = recordWatch(reader, 'users');
      await until(stage.runtime, 'both are seen', seenWithin(stage), () => watch.ids === 'a,b');
      await need(stage.faults.kill)();
      await need(stage.faults.restartEmpty)();
      for (const one of held) await isBack(stage, one, reader);
      await until(
        stage.runtime,
        'the watch has both, fresh',
        backWithinMs,
        () => watch.ids === 'a,b' && watch.latest?.stale === false,
      );
      await watch.stop();
    },
  },
  {
    name: 'watch cut with changes meanwhile: after healing all of them are known',
    needs: ['cut', 'heal'],
    run: async (stage) => {
      const reader = await stage.open();
      const watch = recordWatch(reader, 'users');
      const writer = await stage.open();
      const held = await writer.register(user('a'));
      await writer.register(user('b'));
      await until(stage.runtime, 'both are seen', seenWithin(stage), () => watch.ids === 'a,b');
      need(stage.faults.cut)();
      await until(stage.runtime, 'the lease is lost', stage.ttlMs + 1000, () => !held.registered);
      // The registry evicts both meanwhile; the watcher cannot know.
      await sleep(stage.runtime.timers, stage.ttlMs);
      assert.equal(watch.ids, 'a,b');
      need(stage.faults.heal)();
      await isBack(stage, held, reader);
      await writer.register(user('c'));
      await until(
        stage.runtime,
        'all are seen',
        backWithinMs,
        () => watch.ids === 'a,b,c' && watch.latest?.stale === false,
      );
      await watch.stop();
    },
  },
  {
    name: 'a slow registry is slow, not lost',
    keeps: true,
    needs: ['delay'],
    run: async (stage) => {
      const [writer, reader] = [await stage.open(), await stage.open()];
      const held = await writer.register(user('a'));
      const watch = recordWatch(reader, 'users');
      await until(stage.runtime, 'a is seen', seenWithin(stage), () => watch.ids === 'a');
      // Nearly as bad as 5 s are for the shortest default lease, of 10 s; at half a lease luck would decide.
      need(stage.faults.delay)(0.4 * stage.ttlMs);
      await always(stage, 3 * stage.ttlMs, () => assert.equal(watch.ids, 'a'));
      assert.equal(await userIds(reader), 'a');
      assert.equal(held.registered, true, held.problem?.message ?? 'not registered');
      need(stage.faults.delay)(0);
      await writer.register(user('b'));
      await until(stage.runtime, 'changes come', backWithinMs, () => watch.ids === 'a,b');
      await watch.stop();
    },
  },
  {
    name: 'stopping while the registry is down ends within the deadline, and says what could not be done',
    needs: ['kill'],
    run: async (stage) => {
      const writer = await stage.open();
      await writer.register(user('a'));
      await need(stage.faults.kill)();
      await assert.rejects(writer.deregister('users', 'a'), { code: 'unavailable' });
      await writer.close();
    },
  },
];
