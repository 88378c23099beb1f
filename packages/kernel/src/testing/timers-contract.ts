import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Clock } from '../ports/clock.ts';
import type { Timers } from '../ports/timers.ts';
import { sleep } from '../sleep.ts';
import type { RunWork } from './subject.ts';

const beyondNodesLimitMs = 2 ** 31 + 1000;

/** What `timersContract` runs on. */
export interface TimersSubject {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly run: RunWork;
  /** Keeps the thread busy for some milliseconds, where time can pass that way. */
  readonly spin?: (ms: number) => void;
}

/** What timers must do. `make` is asked once for each test. */
export function timersContract(name: string, make: () => TimersSubject): void {
  const check: Check = (what, body) => {
    test(what, async () => {
      const subject = make();
      await subject.run(() => body(subject));
    });
  };
  describe(`timers: ${name}`, () => {
    delays(check);
    order(check);
    cancelling(check);
  });
}

type Check = (what: string, body: (subject: TimersSubject) => Promise<void>) => void;

function delays(check: Check): void {
  check('a task does not run before its delay has passed', async ({ clock, timers }) => {
    const one = async (delayMs: number): Promise<void> => {
      const dueMs = clock.nowMs() + delayMs;
      await sleep(timers, delayMs);
      assert.ok(clock.nowMs() >= dueMs, `${dueMs - clock.nowMs()} ms too early for ${delayMs} ms`);
    };
    await Promise.all([0, 0.2, 1, 1.5, 3, 7.3, 10, 19.9, 20].map(one));
    for (const delayMs of [1, 1.7, 2, 2.3]) await one(delayMs);
  });

  check('nor when the thread was busy as it was set', async ({ clock, timers, spin }) => {
    await sleep(timers, 1);
    spin?.(15);
    const dueMs = clock.nowMs() + 10;
    await sleep(timers, 10);
    assert.ok(clock.nowMs() >= dueMs, `${dueMs - clock.nowMs()} ms too early`);
  });

  check('a delay of more than 24.8 days does not fire early', async ({ timers }) => {
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
}

function order(check: Check): void {
  check('a task runs once, later, never at once', async ({ timers }) => {
    let runs = 0;
    timers.after(0, () => runs++);
    timers.soon(() => runs++);
    assert.equal(runs, 0);
    await sleep(timers, 20);
    assert.equal(runs, 2);
  });

  check('tasks run in order of their time; those of `soon` in order of their making', async ({ timers }) => {
    const ran: string[] = [];
    timers.after(40, () => ran.push('40'));
    timers.after(15, () => ran.push('15'));
    timers.soon(() => ran.push('first'));
    timers.soon(() => ran.push('second'));
    await sleep(timers, 60);
    assert.deepEqual(ran, ['first', 'second', '15', '40']);
  });
}

function cancelling(check: Check): void {
  check('a cancelled task does not run, and cancelling is harmless at any time', async ({ timers }) => {
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

  check('of two that fall due together, the first can cancel the second', async ({ timers }) => {
    let ran = false;
    timers.after(5, () => second.cancel());
    const second = timers.after(5, () => {
      ran = true;
    });
    await sleep(timers, 20);
    assert.equal(ran, false);
  });
}
