import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VirtualTime } from './virtual-time.ts';

test('tasks run in order of time, then of making, whatever the order they were made in', async () => {
  const delays = fc.array(fc.record({ delayMs: fc.nat(20), cancel: fc.boolean() }), { maxLength: 300 });
  await fc.assert(
    fc.asyncProperty(delays, async (tasks) => {
      const time = new VirtualTime();
      const ran: number[] = [];
      const timers = tasks.map(({ delayMs }, index) => time.timers.after(delayMs, () => ran.push(index)));
      tasks.forEach(({ cancel }, index) => {
        if (cancel) timers[index]?.cancel();
      });
      const expected = tasks
        .map((task, index) => ({ ...task, index }))
        .filter(({ cancel }) => !cancel)
        .toSorted((a, b) => a.delayMs - b.delayMs || a.index - b.index);
      assert.equal(time.pending, expected.length);
      await time.advance(20);
      assert.deepEqual(
        ran,
        expected.map(({ index }) => index),
      );
      assert.equal(time.pending, 0);
    }),
    { numRuns: 60 },
  );
});

test('cancelled tasks do not pile up', async () => {
  const time = new VirtualTime();
  for (let round = 0; round < 100_000; round++) time.timers.after(60_000, () => assert.fail()).cancel();
  assert.equal(time.pending, 0);
  await time.advance(60_000);
});

test('promises settle between two tasks of the same moment', async () => {
  const time = new VirtualTime();
  const order: string[] = [];
  time.timers.after(1, () => {
    void Promise.resolve()
      .then(() => order.push('promise'))
      .then(() => order.push('its follower'));
  });
  time.timers.after(1, () => order.push('second task'));
  await time.advance(1);
  assert.deepEqual(order, ['promise', 'its follower', 'second task']);
});

test('the clock stands at a task’s time while it runs, and at the end of an advance after it', async () => {
  const time = new VirtualTime(1000);
  const seen: number[] = [];
  time.timers.after(5, () => seen.push(time.clock.nowMs(), time.clock.wallMs()));
  await time.advance(7);
  assert.deepEqual(seen, [5, 1005]);
  assert.equal(time.clock.nowMs(), 7);
  await assert.rejects(time.advance(-1), RangeError);
});

test('what a task throws comes out of whoever moves the clock', async () => {
  const time = new VirtualTime();
  time.timers.after(1, () => {
    throw new Error('a mistake');
  });
  await assert.rejects(time.advance(2), /a mistake/);
});

test('runUntil says why it stops', async () => {
  const time = new VirtualTime();
  await assert.rejects(
    time.runUntil(() => false),
    /nothing left to run at 0 ms/,
  );
  const again = (): void => {
    time.timers.after(10, again);
  };
  again();
  await assert.rejects(
    time.runUntil(() => false, 95),
    /did not come true within 95 ms/,
  );
  await time.runUntil(() => time.clock.nowMs() >= 200, 1000);
});
