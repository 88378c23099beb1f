import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { user } from '../testing/registry-cases.ts';
import { Fleet, type FleetProcess } from '../testing/fleet.ts';
import { virtualRuntime } from '../testing/virtual-runtime.ts';
import { leaseLost } from './lease-error.ts';
import type { ConfirmedLease, LeaseKeeper } from './lease-keeper.ts';
import { LeaseStandby } from './lease-standby.ts';
import type { DesiredRegistration } from './registry.ts';

const lease: ConfirmedLease = { service: 'users', id: 'x', lease: 'L', ttlMs: 10_000, confirmedAtMs: 0 };

/** A standby on virtual time: at which moments it renewed, asked and had it confirmed. */
function stage(renew: () => Promise<void> = async () => {}): {
  runtime: ReturnType<typeof virtualRuntime>;
  standby: LeaseStandby;
  renewed: number[];
  asked: number[];
  confirmed: number[];
} {
  const runtime = virtualRuntime();
  const [renewed, asked, confirmed]: [number[], number[], number[]] = [[], [], []];
  const now = (): number => runtime.clock.nowMs();
  const standby = new LeaseStandby({
    runtime,
    leases: {
      renew: (service, id, holder, health) => {
        assert.deepEqual([service, id, holder, health], ['users', 'x', 'L', undefined]);
        renewed.push(now());
        return renew();
      },
    },
    maxSilenceMs: 60_000,
    ping: () => asked.push(now()),
    onConfirmed: (holder, atMs) => {
      assert.equal(holder, 'L');
      confirmed.push(atMs);
    },
  });
  return { runtime, standby, renewed, asked, confirmed };
}

test('a holder that renews in time is left alone, and not even asked', async () => {
  const { runtime, standby, renewed, asked } = stage();
  for (let atMs = 0; atMs < 120_000; atMs += 3333) {
    standby.keep({ ...lease, confirmedAtMs: runtime.clock.nowMs() });
    await runtime.time.advance(3333);
  }
  assert.deepEqual([renewed, asked], [[], []]);
});

test('half a lease without a word: it renews, says so, and asks the holder once', async () => {
  const { runtime, standby, renewed, asked, confirmed } = stage();
  standby.keep(lease);
  await runtime.time.advance(21_000);
  assert.deepEqual(renewed, [5000, 10_000, 15_000, 20_000]);
  assert.deepEqual(confirmed, renewed);
  assert.deepEqual(asked, [5000], 'an unanswered question is not put again');
});

test('a holder that answers is stood in for as long as it takes', async () => {
  const { runtime, standby, renewed } = stage();
  standby.keep(lease);
  for (let turn = 0; turn < 60; turn++) {
    await runtime.time.advance(5000);
    standby.heard();
  }
  assert.equal(renewed.length, 60);
});

test('a holder that is silent for a minute loses it, and has it kept again once it is back', async () => {
  const { runtime, standby, renewed } = stage();
  standby.keep(lease);
  await runtime.time.advance(600_000);
  assert.deepEqual([renewed.at(-1), standby.size], [60_000, 0], 'asked at 5 s, given up at 65 s');
  assert.match(runtime.lines.join(), /at a standstill/);
  standby.keep({ ...lease, confirmedAtMs: 600_000 });
  await runtime.time.advance(5000);
  assert.equal(renewed.at(-1), 605_000);
});

test('a thread that was stopped for longer than the lease does not renew what is lost', async () => {
  const { runtime, standby, renewed } = stage();
  standby.keep(lease);
  runtime.pause();
  await runtime.time.advance(10_000);
  runtime.resume();
  assert.deepEqual([renewed, standby.size], [[], 0]);
});

test('a failed renewal is tried again until the lease is over', async () => {
  const down = new HeddleError({ code: 'unavailable', reason: 'CONNECTION_REFUSED', message: 'down' });
  const { runtime, standby, renewed, confirmed } = stage(() => Promise.reject(down));
  standby.keep(lease);
  await runtime.time.advance(30_000);
  assert.deepEqual(renewed, [5000, 6000, 7000, 8000, 9000]);
  assert.deepEqual([confirmed, standby.size], [[], 0]);
});

test('a lease that the registry says is lost is let go', async () => {
  const { runtime, standby, renewed } = stage(() => Promise.reject(leaseLost('users', 'x')));
  standby.keep(lease);
  await runtime.time.advance(30_000);
  assert.deepEqual([renewed.length, standby.size], [1, 0]);
});

test('what is dropped while it is being renewed is not renewed again', async () => {
  let answer = (): void => {};
  const { runtime, standby, renewed, confirmed } = stage(
    () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  );
  standby.keep(lease);
  await runtime.time.advance(5000);
  standby.drop('users', 'x');
  answer();
  await runtime.time.advance(30_000);
  assert.deepEqual([renewed.length, confirmed], [1, []]);
});

/** A keeper whose other thread is another process of the simulation, beside the one that holds the leases. */
function keeperIn(holder: FleetProcess, thread: FleetProcess, fleet: Fleet): LeaseKeeper {
  const confirmed = new Map<string, number>();
  const other = fleet.leasesOf(thread);
  const standby = new LeaseStandby({
    runtime: thread,
    leases: other,
    maxSilenceMs: 60_000,
    ping: () => holder.process.enter(() => thread.process.enter(() => standby.heard())),
    onConfirmed: (holderOf, atMs) => void confirmed.set(holderOf, atMs),
  });
  return {
    keep: (kept) => thread.process.enter(() => standby.keep(kept)),
    drop: (service, id) => thread.process.enter(() => standby.drop(service, id)),
    confirmedAtMs: (holderOf) => confirmed.get(holderOf) ?? Number.NEGATIVE_INFINITY,
    close: () => standby.close(),
  };
}

async function fleetWithKeeper(): Promise<{
  fleet: Fleet;
  main: FleetProcess;
  thread: FleetProcess;
  held: DesiredRegistration;
  flips: boolean[];
  there: () => number;
}> {
  const fleet = new Fleet();
  const server = await fleet.serve('registry');
  const main = fleet.start('a');
  const thread = fleet.start('a');
  const { registry } = fleet.clientOn(main, ['registry'], { keeper: keeperIn(main, thread, fleet) });
  const held = await fleet.time.run(registry.register(user('x')));
  const flips: boolean[] = [];
  held.subscribe((registered) => flips.push(registered));
  return { fleet, main, thread, held, flips, there: () => server.registry.store.status.instances };
}

test('over the wire: a main thread blocked for 20 s stays registered, and its gauge knows at once', async () => {
  const { fleet, main, held, flips, there } = await fleetWithKeeper();
  main.process.pause();
  for (let second = 0; second < 20; second++) {
    await fleet.time.advance(1000);
    assert.deepEqual([there(), held.registered], [1, true], `after ${second + 1} s`);
  }
  main.process.resume();
  await fleet.time.advance(60_000);
  assert.deepEqual([there(), held.registered, flips], [1, true, []]);
});

test('over the wire: a deadlock loses the lease after its minute; a stopped process after its lease', async () => {
  const stuck = await fleetWithKeeper();
  stuck.main.process.pause();
  await stuck.fleet.time.advance(60_000);
  assert.equal(stuck.there(), 1);
  await stuck.fleet.time.advance(17_000);
  assert.deepEqual([stuck.there(), stuck.held.registered], [0, false]);
  stuck.main.process.resume();
  await stuck.fleet.time.runUntil(() => stuck.held.registered && stuck.there() === 1, 5000);
  assert.deepEqual(stuck.flips, [false, true]);

  const stopped = await fleetWithKeeper();
  stopped.main.process.pause();
  stopped.thread.process.pause();
  await stopped.fleet.time.advance(11_000);
  assert.deepEqual([stopped.there(), stopped.held.registered], [0, false]);
  stopped.thread.process.resume();
  stopped.main.process.resume();
  await stopped.fleet.time.runUntil(() => stopped.held.registered && stopped.there() === 1, 5000);
});
