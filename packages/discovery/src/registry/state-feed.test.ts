import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Call, HeddleError, sleep } from '@heddle/kernel';
import { virtualRuntime } from '../testing/virtual-runtime.ts';
import { recordWatch } from '../testing/watch-record.ts';
import { type Backend, backendRegistry } from './backend-registry.ts';
import { instance } from './validate-instance.ts';
import { polled } from './polled.ts';
import type { FeedState } from './state-feed.ts';

const runtime = virtualRuntime;
const user = (id: string, weight = 100): FeedState['instances'][number] =>
  instance({ service: 'users', id, address: '10.0.0.1', port: 1, weight });
const down = new HeddleError({ code: 'unavailable', reason: 'DOWN', message: 'down' });

/** A backend that is asked each second, and says `answers[second]`; an error is thrown. */
function scripted(
  on: ReturnType<typeof virtualRuntime>,
  answer: () => FeedState | HeddleError,
): Backend & { asked: number; open: number } {
  const backend = {
    name: 'scripted',
    asked: 0,
    open: 0,
    find: async (): Promise<FeedState> => {
      backend.asked += 1;
      const said = answer();
      if (said instanceof HeddleError) throw said;
      return said;
    },
    follow: (_service: string, call: Call) =>
      polled(on.timers, call, async () => ({ ...(await backend.find()), freshMs: 1000 })),
    close: () => {},
  };
  return backend;
}

test('a state that is the same again is no news; a change is, sorted, and those that stay are the same objects', async () => {
  const on = runtime();
  let now: FeedState = { instances: [user('b'), user('a')] };
  const registry = backendRegistry(
    scripted(on, () => now),
    { runtime: on },
  );
  const watch = recordWatch(registry, 'users');
  await on.time.run(sleep(on.timers, 3500));
  assert.deepEqual([watch.snapshots.length, watch.ids], [1, 'a,b']);
  now = { instances: [user('b'), user('a', 7)] };
  await on.time.run(sleep(on.timers, 1000));
  assert.equal(watch.snapshots.length, 2);
  assert.equal(watch.snapshots[0]?.instances[1], watch.latest?.instances[1]);
  assert.equal(watch.latest?.instances[0]?.weight, 7);
  await on.time.run(watch.stop());
});

test('one failure is not told, the second makes it stale with its age, and it is fresh again when the backend is', async () => {
  const on = runtime();
  let failures = 0;
  const registry = backendRegistry(
    scripted(on, () => (failures-- > 0 ? down : { instances: [user('a')] })),
    { runtime: on },
  );
  const watch = recordWatch(registry, 'users');
  await on.time.run(sleep(on.timers, 100));
  failures = 1;
  await on.time.run(sleep(on.timers, 2500));
  assert.equal(watch.snapshots.length, 1);
  failures = 1000;
  await on.time.run(sleep(on.timers, 60_000));
  assert.deepEqual([watch.snapshots.length, watch.latest?.stale, watch.ids], [2, true, 'a']);
  assert.equal(registry.problem, down);
  const late = recordWatch(registry, 'users');
  await on.time.run(sleep(on.timers, 1));
  assert.ok((late.latest?.ageMs ?? 0) > 50_000, 'a stale one says how old it is');
  failures = 0;
  await on.time.run(sleep(on.timers, 4000));
  assert.deepEqual([watch.snapshots.length, watch.latest?.stale, registry.problem], [3, false, undefined]);
  await on.time.run(Promise.all([watch.stop(), late.stop()]));
});

test('retries never end, and are spread', async () => {
  const on = runtime();
  const backend = scripted(on, () => down);
  const registry = backendRegistry(backend, { runtime: on });
  const watch = recordWatch(registry, 'users');
  await on.time.run(sleep(on.timers, 3_600_000));
  assert.ok(backend.asked > 1200 && backend.asked < 7200, `asked ${backend.asked} times in an hour`);
  await on.time.run(watch.stop());
});

test('a state of an earlier position is not believed', async () => {
  const on = runtime();
  let revision = 7;
  let ids = ['a'];
  const registry = backendRegistry(
    scripted(on, () => ({ instances: ids.map((id) => user(id)), position: { term: 1, revision } })),
    { runtime: on },
  );
  const watch = recordWatch(registry, 'users');
  await on.time.run(sleep(on.timers, 100));
  revision = 6;
  ids = [];
  await on.time.run(sleep(on.timers, 10_000));
  assert.deepEqual([watch.ids, watch.latest?.stale], ['a', true]);
  assert.equal(registry.problem?.reason, 'STALE_REGISTRY');
  await on.time.run(watch.stop());
});

test('the last reader to leave ends the following, and nothing is left to wait for', async () => {
  const on = runtime();
  const backend = scripted(on, () => ({ instances: [] }));
  const registry = backendRegistry(backend, { runtime: on });
  const [one, two] = [recordWatch(registry, 'users'), recordWatch(registry, 'users')];
  await on.time.run(sleep(on.timers, 1500));
  assert.equal(backend.asked, 2, 'two readers are one question');
  await on.time.run(one.stop());
  await on.time.run(two.stop());
  await on.time.run(sleep(on.timers, 10_000));
  assert.equal(backend.asked, 2);
});

test('what a backend leaves out is unsupported, by a typed error', async () => {
  const on = runtime();
  const registry = backendRegistry(
    scripted(on, () => ({ instances: [] })),
    { runtime: on },
  );
  const unsupported = { code: 'unimplemented', reason: 'UNSUPPORTED', sent: false };
  await assert.rejects(registry.register({ service: 'a', address: 'h', port: 1 }), unsupported);
  await assert.rejects(registry.deregister('a', 'b'), unsupported);
  await assert.rejects(registry.heartbeat('a', 'b'), unsupported);
  await assert.rejects(registry.services(), unsupported);
});
