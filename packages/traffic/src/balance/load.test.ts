import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, HeddleError } from '@heddle/kernel';
import { bareRuntime, seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import { leastRequest } from './least-request.ts';
import { Load, LoadGroup } from './load.ts';
import { capacity, orca } from './orca.ts';
import { p2cLatency } from './p2c-latency.ts';
import { type Candidate, noneExcluded, type Policy } from './picker.ts';
import { slowStart } from './slow-start.ts';
import { roundRobin } from './round-robin.ts';
import { standings } from './standing.ts';

const random = seededRandom(9);
type Loaded = Candidate & { readonly load: Load };

function setting(count: number): { time: VirtualTime; root: () => Call; all: Loaded[]; group: LoadGroup } {
  const time = new VirtualTime();
  const runtime = bareRuntime(time);
  const group = new LoadGroup();
  const all = Array.from({ length: count }, (_, index) => ({
    id: `i${String(index).padStart(3, '0')}`,
    weight: 100,
    load: new Load(group),
  }));
  return { time, root: () => Call.root(runtime), all, group };
}

function counted(policy: Policy, all: readonly Candidate[], root: () => Call, picks: number): number[] {
  const picker = policy(all, undefined);
  const call = root();
  const counts = all.map(() => 0);
  for (let n = 0; n < picks; n++) {
    const index = all.indexOf(picker.pick(call, noneExcluded) ?? assert.fail());
    counts[index] = (counts[index] as number) + 1;
  }
  return counts;
}

test('a call counts from its begin to its end; calls that start together see each other', () => {
  for (const scanUpTo of [10, 0]) {
    const { root, all, group } = setting(scanUpTo === 0 ? 40 : 4);
    const picker = leastRequest(random, { scanUpTo })(all, undefined);
    const calls = Array.from({ length: all.length * 5 }, () => {
      const call = root();
      picker.pick(call, noneExcluded)?.load.begin(call);
      return call;
    });
    const busy = all.map(({ load }) => load.inFlight);
    // Scanned: exactly even. Two choices: nearly.
    assert.ok(Math.max(...busy) - Math.min(...busy) <= (scanUpTo === 0 ? 4 : 0), busy.join(' '));
    assert.equal(group.inFlight, calls.length);
    for (const call of calls) call.end();
    assert.ok(all.every(({ load }) => load.inFlight === 0) && group.inFlight === 0);
  }
});

test('twice the weight takes twice the calls in flight', () => {
  const { root, all } = setting(2);
  const weighted = all.map((each, index) => ({ ...each, weight: index === 0 ? 100 : 200 }));
  const picker = leastRequest(random)(weighted, undefined);
  for (let n = 0; n < 30; n++) {
    const call = root();
    picker.pick(call, noneExcluded)?.load.begin(call);
  }
  assert.deepEqual(
    weighted.map(({ load }) => load.inFlight),
    [10, 20],
  );
});

test('the latency rises at once, falls slowly, and a failure counts as slow', async () => {
  const { time, root } = setting(1);
  const load = new Load();
  const take = async (ms: number, error?: HeddleError): Promise<void> => {
    const call = root();
    load.begin(call);
    await time.advance(ms);
    call.end(error);
  };
  await take(10);
  assert.equal(load.latencyMs, 10);
  await take(200);
  assert.equal(load.latencyMs, 200);
  await take(10);
  assert.ok(load.latencyMs > 190);
  const failed = (code: 'cancelled' | 'not_found' | 'unavailable'): HeddleError =>
    new HeddleError({ code, reason: 'X', message: 'x' });
  await take(1, failed('cancelled'));
  await take(1, failed('not_found'));
  assert.ok(load.latencyMs < 200, 'what the caller gave up or did wrong is not held against it');
  await take(1, failed('unavailable'));
  assert.equal(load.latencyMs, 1000);
});

test('p2c by latency: the slow one gets little, and is tried again when it has been left alone', async () => {
  const { time, root, all } = setting(10);
  const policy = p2cLatency({ random, clock: time.clock });
  for (const [index, { load }] of all.entries()) load.took(index === 3 ? 200 : 10, time.clock.nowMs());
  const counts = counted(policy, all, root, 5000);
  assert.ok((counts[3] as number) < 100, `${counts[3]}: only when drawn twice`);
  await time.advance(60_000);
  for (const [index, { load }] of all.entries()) if (index !== 3) load.took(10, time.clock.nowMs());
  assert.ok((counted(policy, all, root, 5000)[3] as number) > 400, 'forgiven');
});

test('orca: shares by the capacity that instances report; silent ones count as average', async () => {
  const { time, root, all } = setting(4);
  const [busy, idle, young] = all as [Loaded, Loaded, Loaded];
  const report = (perSecond: number, eventLoopUtilization: number): void => {
    busy.load.reported({ perSecond, eventLoopUtilization: eventLoopUtilization * 2 }, time.clock.nowMs());
    idle.load.reported({ perSecond, eventLoopUtilization, cpuUtilization: 0.01 }, time.clock.nowMs());
  };
  report(100, 0.4);
  await time.advance(10_000);
  report(100, 0.4);
  young.load.reported({ perSecond: 1000, utilization: 0.01 }, time.clock.nowMs());
  assert.equal(capacity(busy.load, time.clock.nowMs()), 125);
  assert.equal(capacity(young.load, time.clock.nowMs()), 0, 'just begun: not believed yet');
  const counts = counted(orca({ random, clock: time.clock }), all, root, 30_000);
  // 125 and 250, and twice their mean.
  for (const [index, expected] of [125, 250, 187.5, 187.5].entries())
    assert.ok(Math.abs((counts[index] as number) / 30_000 - expected / 750) < 0.012, counts.join(' '));
  await time.advance(200_000);
  assert.equal(capacity(idle.load, time.clock.nowMs()), 0, 'too old');
});

test('orca: failures count as load, and new reports within a second', async () => {
  const { time, root, all } = setting(2);
  const policy = orca({ random, clock: time.clock, blackoutMs: 0.5 });
  const picker = policy(all, undefined);
  const [bad, good] = all as [Loaded, Loaded];
  const report = (): void => {
    bad.load.reported({ perSecond: 100, errorsPerSecond: 100, utilization: 0.5 }, time.clock.nowMs());
    good.load.reported({ perSecond: 100, errorsPerSecond: 0, utilization: 0.5 }, time.clock.nowMs());
  };
  report();
  await time.advance(1000);
  report();
  let toGood = 0;
  for (let n = 0; n < 10_016; n++) if (picker.pick(root(), noneExcluded) === good) toGood++;
  assert.ok(Math.abs(toGood / 10_016 - 0.75) < 0.02, `${toGood}`);
});

test('slow start: a newcomer takes a tenth of its share, then more and more; the first ones are no newcomers', async () => {
  const { time, root, all } = setting(5);
  const policy = slowStart(roundRobin(random), { clock: time.clock, random, windowMs: 10_000 });
  const first = policy(all.slice(0, 4), undefined);
  assert.ok(standings(first, []).every(({ exclusion }) => exclusion === undefined));
  const picker = policy(all, first);
  assert.deepEqual(standings(picker, []).at(-1)?.exclusion, {
    reason: 'slow_start',
    detail: 'takes 10 % of its share',
  });
  const share = (): number => {
    const call = root();
    const picks = 10_000;
    let count = 0;
    for (let n = 0; n < picks; n++) if (picker.pick(call, noneExcluded) === all[4]) count++;
    return count / picks;
  };
  assert.ok(Math.abs(share() - 0.02) < 0.01);
  await time.advance(5000);
  assert.ok(Math.abs(share() - 0.11) < 0.02);
  await time.advance(5000);
  assert.ok(Math.abs(share() - 0.2) < 0.001);
  assert.equal(standings(picker, []).at(-1)?.exclusion, undefined);
});

test('slow start: an update in between goes on where the warming was', async () => {
  const { time, all } = setting(4);
  const policy = slowStart(roundRobin(random), { clock: time.clock, random, windowMs: 10_000 });
  const before = policy(all.slice(0, 3), policy(all.slice(0, 2), undefined));
  await time.advance(5000);
  const after = policy(all, before);
  const details = standings(after, []).map(({ exclusion }) => exclusion?.detail);
  assert.deepEqual(details, [undefined, undefined, 'takes 55 % of its share', 'takes 10 % of its share']);
});
