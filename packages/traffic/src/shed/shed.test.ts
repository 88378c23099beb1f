import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, HeddleError, type Priority, priority, type Service, settle } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import fc from 'fast-check';
import { LoopDelay } from './loop-delay.ts';
import { shed } from './shed.ts';
import { decideShed, defaultShedRules, type ShedSituation } from './shed-decision.ts';

const calm: ShedSituation = { delayMs: 0, priority: 'normal', remainingMs: 1000, usualMs: 5, chance: 0 };
const decisions: readonly [string, Partial<ShedSituation>, ReturnType<typeof decideShed>][] = [
  ['no delay', {}, undefined],
  ['no delay and next to no time left: it might be quick', { remainingMs: 1 }, undefined],
  ['a delay beyond the deadline', { delayMs: 30, remainingMs: 34 }, 'too_late'],
  [
    'critical ones too: the answer would go to nobody',
    { delayMs: 30, remainingMs: 34, priority: 'critical' },
    'too_late',
  ],
  ['a calm delay', { delayMs: 40 }, undefined],
  ['a delay above it, with bad luck', { delayMs: 41 }, 'overloaded'],
  ['a delay above it, with luck', { delayMs: 41, chance: 0.5 }, undefined],
  ['a full delay, whatever the luck', { delayMs: 200, chance: 0.999 }, 'overloaded'],
  ['sheddable ones go at half of it', { delayMs: 100, chance: 0.999, priority: 'sheddable' }, 'overloaded'],
  ['critical ones stay until all others are shed', { delayMs: 200, priority: 'critical' }, undefined],
  ['and then go too', { delayMs: 201, priority: 'critical' }, 'overloaded'],
];
for (const [what, change, expected] of decisions)
  test(`${what}: ${String(expected ?? 'served')}`, () =>
    assert.equal(decideShed({ ...calm, ...change }, defaultShedRules), expected));

test('property: who is shed at one priority is shed at every lower one, and at every longer delay', () => {
  const order: readonly Priority[] = ['critical', 'normal', 'sheddable'];
  const any = fc.record({
    delayMs: fc.double({ min: 0, max: 500, noNaN: true }),
    remainingMs: fc.double({ min: 1, max: 1000, noNaN: true }),
    usualMs: fc.nat(50),
    chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  });
  fc.assert(
    fc.property(any, fc.double({ min: 0, max: 100, noNaN: true }), (situation, moreMs) => {
      let before = false;
      for (const each of order) {
        const now = decideShed({ ...situation, priority: each }, defaultShedRules) !== undefined;
        assert.ok(now || !before);
        const later = { ...situation, delayMs: situation.delayMs + moreMs, priority: each };
        assert.ok(!now || decideShed(later, defaultShedRules) !== undefined);
        before = now;
      }
    }),
  );
});

/** One event loop: 10 ms of work for each call, one after the other; a refusal costs a twentieth of that. */
async function overload(factor: number, shedding: boolean): Promise<{ goodput: number; critical: number }> {
  const time = new VirtualTime();
  const runtime = bareRuntime(time, 5);
  const [workMs, refusalMs, lastingMs] = [10, 0.5, 20_000];
  let freeAtMs = 0;
  const busy = (ms: number): number =>
    (freeAtMs = Math.max(freeAtMs, time.clock.nowMs()) + ms) - time.clock.nowMs();
  const handler: Service<string, string> = (req, call) =>
    new Promise((resolve) => call.runtime.timers.after(busy(workMs), () => resolve(req)));
  const monitor = {
    get delayMs(): number {
      return Math.max(0, freeAtMs - time.clock.nowMs());
    },
  };
  const service = shedding ? shed<string, string>({ monitor })(handler) : handler;
  let good = 0;
  const critical = { good: 0, all: 0 };
  let sent = 0;
  const send = (): void => {
    // Each caller waits 250 ms; one call in ten is critical, three can be shed.
    const nowMs = time.clock.nowMs();
    const important: Priority = sent % 10 === 0 ? 'critical' : sent % 10 < 4 ? 'sheddable' : 'normal';
    sent++;
    const call = Call.root(runtime, nowMs + 250).set(priority, important);
    if (important === 'critical') critical.all++;
    void settle(service, 'x', call).then((result) => {
      if (!result.ok) busy(refusalMs);
      else if (call.remainingMs() >= 0) {
        good++;
        if (important === 'critical') critical.good++;
      }
    });
    if (nowMs < lastingMs) time.timers.after(workMs / factor, send);
  };
  send();
  await time.advance(lastingMs + 1000);
  return { goodput: good / (lastingMs / workMs), critical: critical.good / critical.all };
}

test('three times the capacity: with shedding at least 80 % of it is good, without less than half', async () => {
  const [withIt, without] = [await overload(3, true), await overload(3, false)];
  assert.ok(withIt.goodput >= 0.8, `${withIt.goodput}`);
  assert.ok(without.goodput < 0.5, `${without.goodput}`);
  assert.ok(withIt.critical > 0.95, `critical: ${withIt.critical}`);
});

test('within the capacity nothing is shed', async () => {
  const { goodput } = await overload(0.9, true);
  assert.ok(goodput > 0.89, `${goodput}`);
});

test('a refusal was sent nowhere, and says why', async () => {
  const runtime = bareRuntime(new VirtualTime());
  const service = shed<string, string>({ monitor: { delayMs: 900 } })(async (req) => req);
  const result = await settle(service, 'x', Call.root(runtime));
  assert.ok(!result.ok);
  assert.equal(
    `${result.error.code} ${result.error.reason} ${result.error.sent}`,
    'resource_exhausted OVERLOADED false',
  );
  assert.throws(() => shed({ monitor: { delayMs: 0 }, calmMs: 100, fullMs: 50 }), HeddleError);
});

test('the loop delay: how late timers are, at once when overdue, and forgotten by and by', async () => {
  const time = new VirtualTime();
  // A loop that is blocked: the clock goes on and the timers do not run.
  let blockedMs = 0;
  const clock = { ...time.clock, nowMs: () => time.clock.nowMs() + blockedMs };
  const delay = new LoopDelay({ clock, timers: time.timers });
  const seen = (): number => delay.delayMs;
  delay.start();
  await time.advance(100);
  assert.equal(seen(), 0);
  blockedMs = 500;
  assert.equal(seen(), 480);
  await time.advance(20);
  assert.equal(seen(), 500);
  await time.advance(200);
  const later = seen();
  assert.ok(later < 20, `${later}`);
  delay.stop();
  assert.equal(time.pending, 0);
});
