import assert from 'node:assert/strict';
import { sleep } from '@heddle/kernel';
import type { Registry } from '../registry/registry.ts';
import { type RegistryCase, user } from './registry-cases.ts';
import { seenWithin, until } from './registry-stage.ts';
import { recordWatch } from './watch-record.ts';

const crowd = 500;
const windowMs = 100;
// The longest back-off, and a very busy machine.
const backWithinMs = 30_000;

/** Most of `times` within any 100 ms; they are sorted. */
function busiest(times: readonly number[]): number {
  let most = 0;
  let from = 0;
  for (const [at, time] of times.entries()) {
    while ((times[from] ?? time) < time - windowMs) from += 1;
    most = Math.max(most, at - from + 1);
  }
  return most;
}

/** What many clients do at once, and what the history of a backend is not needed for. */
export const crowdCases: readonly RegistryCase[] = [
  {
    name: 'five hundred clients that lose the registry at once come back spread, and all of them',
    needs: ['kill', 'restart', 'arrivals'],
    alone: true,
    run: async (stage) => {
      const { kill, restart, arrivals } = stage.faults;
      assert.ok(kill !== undefined && restart !== undefined && arrivals !== undefined);
      const registries: Registry[] = [];
      for (let at = 0; at < crowd; at++) registries.push(await stage.open());
      const watches = registries.map((registry) => recordWatch(registry, 'users'));
      await until(stage.runtime, 'all watch', 180_000, () => watches.every(({ ids }) => ids !== undefined));
      const fresh = (): number => watches.filter(({ latest }) => latest?.stale === false).length;
      const lostMs = stage.runtime.clock.nowMs();
      await kill();
      await until(stage.runtime, 'all know that it is gone', 180_000, () => fresh() === 0);
      await restart();
      const backMs = stage.runtime.clock.nowMs();
      await until(stage.runtime, 'all are fresh', 180_000, () => fresh() === crowd);
      const allMs = Math.round(stage.runtime.clock.nowMs() - backMs);
      const came = arrivals().filter((time) => time >= lostMs);
      const most = busiest(came);
      // Without jitter each round of tries would be one moment.
      assert.ok(most < came.length / 2, `${most} of ${came.length} connections within ${windowMs} ms`);
      const writer = await stage.open();
      await writer.register(user('a'));
      await until(stage.runtime, 'all hear', backWithinMs, () => watches.every(({ ids }) => ids === 'a'));
      for (const watch of watches) await watch.stop();
      return `all fresh ${allMs} ms after it was back; at most ${most} of ${came.length} connections within ${windowMs} ms`;
    },
  },
  {
    name: 'what a watcher could go on from is forgotten, first in its presence, then while it is cut off: nothing is lost',
    needs: ['cut', 'heal', 'forgetHistory'],
    run: async (stage) => {
      const { cut, heal, forgetHistory } = stage.faults;
      assert.ok(cut !== undefined && heal !== undefined && forgetHistory !== undefined);
      const [writer, reader] = [await stage.open(), await stage.open()];
      const watch = recordWatch(reader, 'users');
      const held = await writer.register(user('a'));
      await forgetHistory();
      await writer.register(user('b'));
      await until(stage.runtime, 'both are seen', backWithinMs, () => watch.ids === 'a,b');
      cut();
      await until(stage.runtime, 'the lease is lost', stage.ttlMs + 1000, () => !held.registered);
      // The registry evicts both meanwhile, and forgets that it did.
      await sleep(stage.runtime.timers, stage.ttlMs + 1000);
      await forgetHistory();
      heal();
      await writer.register(user('c'));
      await until(
        stage.runtime,
        'all are seen, fresh',
        backWithinMs,
        () => watch.ids === 'a,b,c' && watch.latest?.stale === false,
      );
      await watch.stop();
    },
  },
  {
    name: 'the time of day jumps by an hour, forth and back: no lease is lost and no change',
    keeps: true,
    needs: ['jumpClock'],
    run: async (stage) => {
      const { jumpClock } = stage.faults;
      assert.ok(jumpClock !== undefined);
      const [writer, reader] = [await stage.open(), await stage.open()];
      const watch = recordWatch(reader, 'users');
      const held = await writer.register(user('a'));
      await until(stage.runtime, 'a is seen', seenWithin(stage), () => watch.ids === 'a');
      const flips: boolean[] = [];
      held.subscribe((registered) => flips.push(registered));
      for (const byMs of [3_600_000, -7_200_000]) {
        jumpClock(byMs);
        await sleep(stage.runtime.timers, 1.5 * stage.ttlMs);
        assert.deepEqual([held.registered, watch.ids, flips], [true, 'a', []]);
      }
      await writer.register(user('b'));
      await until(stage.runtime, 'b is seen', seenWithin(stage), () => watch.ids === 'a,b');
      await watch.stop();
    },
  },
];
