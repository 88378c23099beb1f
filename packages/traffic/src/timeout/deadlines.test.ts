import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import fc from 'fast-check';
import { Deadlines, deadlinesOf } from './deadlines.ts';

test('property: each goes off at its time and in that order, but for those that were cancelled before', async () => {
  const one = fc.record({
    setAtMs: fc.nat(600),
    delayMs: fc.oneof(fc.nat(50), fc.nat(2000), fc.constantFrom(127, 128, 129, 500)),
    cancelAfterMs: fc.option(fc.nat(1500), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 40 }), async (all) => {
      const time = new VirtualTime();
      const deadlines = new Deadlines(time);
      const ran: [index: number, atMs: number][] = [];
      for (const [index, { setAtMs, delayMs, cancelAfterMs }] of all.entries()) {
        time.timers.after(setAtMs, () => {
          const nowMs = time.clock.nowMs();
          const timer = deadlines.at(nowMs + delayMs, nowMs, () => ran.push([index, time.clock.nowMs()]));
          if (cancelAfterMs !== undefined) time.timers.after(cancelAfterMs, () => timer.cancel());
        });
      }
      await time.advance(10_000);
      const expected = all.flatMap(({ setAtMs, delayMs, cancelAfterMs = Number.POSITIVE_INFINITY }, index) =>
        // At the same moment either may come first.
        cancelAfterMs > delayMs ? [[index, setAtMs + delayMs] as const] : [],
      );
      const certain = new Set(expected.map(([index]) => index));
      const byIndex = (list: readonly (readonly [number, number])[]): unknown =>
        list.filter(([index]) => certain.has(index)).toSorted(([a], [b]) => a - b);
      assert.deepEqual(byIndex(ran), byIndex(expected));
      assert.deepEqual(
        ran.map(([, atMs]) => atMs),
        ran.map(([, atMs]) => atMs).toSorted((a, b) => a - b),
      );
      for (const [index] of ran) assert.ok((all[index]?.cancelAfterMs ?? 1e9) >= (all[index]?.delayMs ?? 0));
      assert.equal(time.pending, 0);
    }),
  );
});

test('many that wait need one timer, and none when all have gone', async () => {
  const time = new VirtualTime();
  const deadlines = deadlinesOf(bareRuntime(time));
  const timers = Array.from({ length: 1000 }, (_, index) => deadlines.at(5000 + index, 0, () => {}));
  assert.equal(time.pending, 1);
  for (const timer of timers) timer.cancel();
  assert.equal(time.pending, 0);
});

test('one that never comes is never come to', async () => {
  const time = new VirtualTime();
  const deadlines = new Deadlines(time);
  const timer = deadlines.at(Number.POSITIVE_INFINITY, 0, () => assert.fail());
  await time.advance(1e6);
  timer.cancel();
});
