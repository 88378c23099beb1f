import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeddleError } from '@heddle/kernel';
import { seededRandom } from '@heddle/kernel/simulated';
import { type VirtualRuntime, virtualRuntime } from '../testing/virtual-runtime.ts';
import { KeptRegistration } from './kept-registration.ts';
import type { LeaseClient } from './lease-client.ts';
import { leaseLost } from './lease-error.ts';
import { instance } from './validate-instance.ts';

const users = instance({ service: 'users', id: 'a', address: 'h', port: 1 });
const ttlMs = 9000;

function away(sent = false): HeddleError {
  return new HeddleError({
    code: 'unavailable',
    reason: 'CONNECTION_REFUSED',
    message: 'nobody listens',
    sent,
  });
}

/** A lease client that notes what it is asked, and answers as the test has it. */
interface Recorder extends LeaseClient {
  readonly asked: { readonly what: string; readonly atMs: number }[];
  /** What the next requests are refused with; undefined: granted. */
  refusal: HeddleError | undefined;
  /** How long an answer takes. */
  slowMs: number;
}

function recorder(runtime: VirtualRuntime): Recorder {
  const note = async (what: string): Promise<void> => {
    made.asked.push({ what, atMs: Math.round(runtime.clock.nowMs()) });
    const { refusal } = made;
    if (made.slowMs > 0)
      await new Promise<void>((resolve) => void runtime.timers.after(made.slowMs, resolve));
    if (refusal !== undefined) throw refusal;
  };
  const made: Recorder = {
    asked: [],
    refusal: undefined,
    slowMs: 0,
    put: (leased, fresh) => note(`put ${leased.instance.weight}${fresh ? ' fresh' : ''}`),
    renew: (_service, _id, _lease, health) => note(`renew ${health ?? ''}`),
    remove: () => note('remove'),
  };
  return made;
}

function keep(runtime: VirtualRuntime, leases: LeaseClient): KeptRegistration {
  return new KeptRegistration(users, { runtime, leases, ttlMs });
}

const wordsOf = ({ asked }: Recorder): string[] => asked.map(({ what }) => what.split(' ')[0] ?? '');

test('it is put once, fresh, and renewed at a third of the lease or a little sooner', async () => {
  const runtime = virtualRuntime();
  const leases = recorder(runtime);
  const kept = keep(runtime, leases);
  assert.equal(await runtime.time.run(kept.attempted()), undefined);
  await runtime.time.advance(90_000);
  assert.equal(leases.asked[0]?.what, 'put 100 fresh');
  assert.ok(
    wordsOf(leases)
      .slice(1)
      .every((what) => what === 'renew'),
  );
  for (const [at, { atMs }] of leases.asked.entries()) {
    const gapMs = atMs - (leases.asked[at - 1]?.atMs ?? atMs - 3000);
    assert.ok(gapMs >= 2400 && gapMs <= 3000, `a gap of ${gapMs}`);
  }
});

test('a slow registry does not stretch the interval of the renewals', async () => {
  const runtime = virtualRuntime();
  const leases = recorder(runtime);
  keep(runtime, leases);
  leases.slowMs = 2000;
  await runtime.time.advance(90_000);
  assert.ok(leases.asked.length >= 30, `only ${leases.asked.length} in ten leases`);
});

test('after a pause longer than the lease it is put again, even where the registry would still renew it', async () => {
  const runtime = virtualRuntime();
  const leases = recorder(runtime);
  const kept = keep(runtime, leases);
  await runtime.time.run(kept.attempted());
  await runtime.time.advance(10_000);
  runtime.pause();
  await runtime.time.advance(20_000);
  const before = leases.asked.length;
  runtime.resume();
  await runtime.time.advance(0);
  assert.deepEqual(
    leases.asked.slice(before).map(({ what }) => what),
    ['put 100'],
  );
  assert.equal(kept.registered, true);
});

test('a lease counts from the question, not from a late answer', async () => {
  const runtime = virtualRuntime();
  const leases = recorder(runtime);
  leases.slowMs = 8000;
  const kept = keep(runtime, leases);
  await runtime.time.run(kept.attempted());
  assert.equal(kept.registered, true);
  leases.refusal = away();
  await runtime.time.advance(1001);
  assert.equal(kept.registered, false);
});

test('the gauge falls when the lease is over and not before, and tells its listeners once', async () => {
  const runtime = virtualRuntime();
  const leases = recorder(runtime);
  const kept = keep(runtime, leases);
  await runtime.time.run(kept.attempted());
  const heard: string[] = [];
  const stop = kept.subscribe((registered) =>
    heard.push(`${registered} at ${Math.round(runtime.clock.nowMs())}`),
  );
  leases.refusal = away();
  await runtime.time.advance(8999);
  assert.deepEqual([kept.registered, heard], [true, []]);
  await runtime.time.advance(1);
  assert.deepEqual([kept.registered, heard], [false, ['false at 9000']]);
  assert.equal(kept.problem?.reason, 'CONNECTION_REFUSED');
  leases.refusal = undefined;
  await runtime.time.runUntil(() => kept.registered, 3000);
  assert.equal(heard.length, 2);
  stop();
});

test('it never gives up, and never waits longer than three seconds', async () => {
  const runtime = virtualRuntime();
  const leases = recorder(runtime);
  leases.refusal = away();
  keep(runtime, leases);
  await runtime.time.advance(3_600_000);
  const gaps = leases.asked.slice(1).map(({ atMs }, at) => atMs - (leases.asked[at]?.atMs ?? 0));
  assert.ok(
    Math.max(...gaps) <= 3000 && gaps.length > 1200,
    `${gaps.length} tries, ${Math.max(...gaps)} ms apart`,
  );
  assert.ok(
    leases.asked.every(({ what }) => what === 'put 100 fresh'),
    'it has not been there yet',
  );
});

test('500 that fail at one moment come back spread out, and so do 500 that lose their leases', async () => {
  for (const refusal of [away(), leaseLost('users', 'a')]) {
    const runtime = virtualRuntime();
    const arrivals: number[] = [];
    for (let at = 0; at < 500; at++) {
      const own: VirtualRuntime = { ...runtime, random: seededRandom(at) };
      const leases = recorder(own);
      leases.refusal = refusal;
      keep(own, leases);
      own.timers.after(5000, () => arrivals.push(...leases.asked.slice(1, 2).map(({ atMs }) => atMs)));
    }
    await runtime.time.advance(5000);
    const fullest = Math.max(
      ...[...Map.groupBy(arrivals, (atMs) => Math.floor(atMs / 50)).values()].map((one) => one.length),
    );
    assert.ok(arrivals.length === 500 && fullest < 100, `${fullest} of ${arrivals.length} within 50 ms`);
  }
});

test('a lost lease is put again within a second, even after other failures', async () => {
  const runtime = virtualRuntime();
  const leases = recorder(runtime);
  const kept = keep(runtime, leases);
  await runtime.time.run(kept.attempted());
  leases.refusal = away();
  await runtime.time.runUntil(() => kept.problem !== undefined, 3000);
  leases.refusal = leaseLost('users', 'a');
  await runtime.time.runUntil(() => kept.problem?.reason === 'LEASE_LOST', 3000);
  leases.refusal = undefined;
  await runtime.time.runUntil(() => kept.registered && kept.problem === undefined, 1000);
  assert.equal(leases.asked.at(-1)?.what, 'put 100');
});

test('a changed statement is put at once; a health alone goes with a renewal', async () => {
  const runtime = virtualRuntime();
  const leases = recorder(runtime);
  const kept = keep(runtime, leases);
  await runtime.time.run(kept.attempted());
  await runtime.time.run(kept.state({ ...users, weight: 7 }));
  await runtime.time.run(kept.report('critical'));
  assert.deepEqual(
    leases.asked.map(({ what }) => what),
    ['put 100 fresh', 'put 7', 'renew critical'],
  );
  assert.equal(runtime.clock.nowMs(), 0);
  assert.deepEqual([kept.instance.weight, kept.instance.health], [7, 'critical']);
});

test('releasing waits for what is on its way, so that nothing arrives after the removal', async () => {
  const runtime = virtualRuntime();
  const leases = recorder(runtime);
  leases.slowMs = 1000;
  const kept = keep(runtime, leases);
  await runtime.time.advance(1);
  await runtime.time.run(kept.release());
  assert.deepEqual(leases.asked, [
    { what: 'put 100 fresh', atMs: 0 },
    { what: 'remove', atMs: 1000 },
  ]);
  await runtime.time.advance(60_000);
  assert.equal(leases.asked.length, 2);
  assert.equal(runtime.time.pending, 0);
});

test('what certainly never arrived need not be removed; what may have, must', async () => {
  for (const sent of [false, true]) {
    const runtime = virtualRuntime();
    const leases = recorder(runtime);
    leases.refusal = away(sent);
    const kept = keep(runtime, leases);
    await runtime.time.run(kept.attempted());
    leases.refusal = undefined;
    await runtime.time.run(kept.release());
    assert.equal(wordsOf(leases).includes('remove'), sent);
  }
});
