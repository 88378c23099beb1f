import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualTime } from '@heddle/kernel/simulated';
import fc from 'fast-check';
import { RetryBudget } from './budget.ts';

test('a quiet client may retry as the floor says, a busy one a fifth more', () => {
  const budget = new RetryBudget(new VirtualTime().clock, { floorPerSecond: 1 });
  assert.equal(budget.available, 10);
  for (let made = 0; made < 100; made++) budget.deposit();
  assert.equal(budget.available, 30);
  for (let taken = 0; taken < 30; taken++) assert.equal(budget.withdraw(), true);
  assert.equal(budget.withdraw(), false);
});

test('what left the window of ten seconds counts no more', async () => {
  const time = new VirtualTime();
  const budget = new RetryBudget(time.clock, { floorPerSecond: 0 });
  for (let made = 0; made < 50; made++) budget.deposit();
  assert.equal(budget.available, 10);
  await time.advance(9_500);
  assert.equal(budget.available, 10);
  await time.advance(1_000);
  assert.equal(budget.available, 0);
  assert.equal(budget.withdraw(), false);
  await time.advance(100_000);
  budget.deposit();
  assert.equal(budget.available, 0, 'a fifth of a retry is none');
});

test('property: in any ten seconds, retries never exceed a fifth of the calls plus the floor', async () => {
  const steps = fc.array(fc.tuple(fc.nat(2000), fc.nat(20), fc.nat(20)), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const time = new VirtualTime();
      const budget = new RetryBudget(time.clock, { floorPerSecond: 1 });
      const log: { second: number; call: boolean }[] = [];
      for (const [delayMs, calls, wishes] of plan) {
        await time.advance(delayMs);
        const second = Math.floor(time.clock.nowMs() / 1000);
        for (let n = 0; n < calls; n++) {
          budget.deposit();
          log.push({ second, call: true });
        }
        for (let n = 0; n < wishes; n++) if (budget.withdraw()) log.push({ second, call: false });
        const window = log.filter((entry) => entry.second > second - 10);
        const made = window.filter((entry) => entry.call).length;
        assert.ok(window.length - made <= 0.2 * made + 10 + 1e-6);
      }
    }),
    { numRuns: 30 },
  );
});
