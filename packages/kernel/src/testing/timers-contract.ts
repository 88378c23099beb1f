import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Clock } from '../ports/clock.ts';
import type { Timers } from '../ports/timers.ts';
import { sleep } from '../sleep.ts';
import type { RunWork } from './subject.ts';

const beyondNodesLimitMs = 2 ** 31 + 1000;

/** What timers must do. `spin` keeps the thread busy for some milliseconds, where time can pass that way. */
export function timersContract(
  name: string,
  make: () => {
    readonly clock: Clock;
    readonly timers: Timers;
    readonly run: RunWork;
    readonly spin?: (ms: number) => void;
  },
): void {
  describe(`timers: ${name}`, () => {
    test('a task does not run before its delay has passed', async () => {
      const { clock, timers, run } = make();
      await run(async () => {
        const one = async (delayMs: number): Promise<void> => {
          const start = clock.nowMs();
          await sleep(timers, delayMs);
          assert.ok(
            clock.nowMs() >= start + delayMs,
            `${clock.nowMs() - start} ms passed instead of ${delayMs}`,
          );
        };
        await Promise.all([0, 0.2, 1, 1.5, 3, 7.3, 10, 19.9, 20].map(one));
        for (const delayMs of [1, 1.7, 2, 2.3]) await one(delayMs);
      });
    });

    test('nor when the thread was busy as it was set', async () => {
      const { clock, timers, run, spin } = make();
      await run(async () => {
        await sleep(timers, 1);
        spin?.(15);
        const start = clock.nowMs();
        await sleep(timers, 10);
        assert.ok(clock.nowMs() >= start + 10, `${clock.nowMs() - start} ms passed instead of 10`);
      });
    });

    test('a task runs once, later, never at once', async () => {
      const { timers, run } = make();
      await run(async () => {
        let runs = 0;
        timers.after(0, () => runs++);
        timers.soon(() => runs++);
        assert.equal(runs, 0);
        await sleep(timers, 20);
        assert.equal(runs, 2);
      });
    });

    test('tasks run in order of their time; those of `soon` in order of their making', async () => {
      const { timers, run } = make();
      await run(async () => {
        const order: string[] = [];
        timers.after(40, () => order.push('40'));
        timers.after(15, () => order.push('15'));
        timers.soon(() => order.push('first'));
        timers.soon(() => order.push('second'));
        await sleep(timers, 60);
        assert.deepEqual(order, ['first', 'second', '15', '40']);
      });
    });

    test('a cancelled task does not run, and cancelling is harmless at any time', async () => {
      const { timers, run } = make();
      await run(async () => {
        let runs = 0;
        const cancelled = timers.after(5, () => runs++);
        cancelled.cancel();
        cancelled.cancel();
        const ran = timers.after(1, () => {
          runs += 10;
          ran.cancel();
        });
        await sleep(timers, 20);
        ran.cancel();
        assert.equal(runs, 10);
      });
    });

    test('of two that fall due together, the first can cancel the second', async () => {
      const { timers, run } = make();
      await run(async () => {
        let ran = false;
        timers.after(5, () => second.cancel());
        const second = timers.after(5, () => {
          ran = true;
        });
        await sleep(timers, 20);
        assert.equal(ran, false);
      });
    });

    test('a delay of more than 24.8 days does not fire early', async () => {
      const { timers, run } = make();
      await run(async () => {
        let ran = false;
        const mark = (): void => {
          ran = true;
        };
        const distant = [beyondNodesLimitMs, Number.POSITIVE_INFINITY].map((delayMs) =>
          timers.after(delayMs, mark),
        );
        await sleep(timers, 30);
        assert.equal(ran, false);
        for (const timer of distant) timer.cancel();
      });
    });
  });
}
