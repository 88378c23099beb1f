import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualTime } from '../simulated/virtual-time.ts';
import { until } from './until.ts';

test('waits until it is so', async () => {
  const time = new VirtualTime();
  let so = false;
  time.timers.after(300, () => {
    so = true;
  });
  await time.run(until(time, 'so', 1000, () => so));
  assert.ok(time.clock.nowMs() < 320, String(time.clock.nowMs()));
});

test('rejects in time with what was waited for, and how it is by then', async () => {
  const time = new VirtualTime();
  let looks = 0;
  const found = async (): Promise<boolean> => {
    looks += 1;
    return false;
  };
  await assert.rejects(time.run(until(time, () => `ten, found ${looks}`, 50, found)), {
    message: /^not within 50 ms: ten, found 1[0-2]$/,
  });
});

test('time in which the process stood still does not count', async () => {
  const time = new VirtualTime();
  let nowMs = 0;
  // Every pause lasts ten seconds, as on a machine that has no time for us.
  const clock = { ...time.clock, nowMs: () => (nowMs += 10_000) };
  let looks = 0;
  await time.run(
    until({ clock, timers: time.timers }, 'five looks', 100_000, () => {
      looks += 1;
      return looks === 5;
    }),
  );
  assert.equal(looks, 5);
});
