import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Clock } from '../ports/clock.ts';
import type { Timers } from '../ports/timers.ts';
import { sleep } from '../sleep.ts';
import type { RunWork } from './subject.ts';

/** What a clock must do. `make` gives a fresh one with timers that hang on it. */
export function clockContract(
  name: string,
  make: () => { readonly clock: Clock; readonly timers: Timers; readonly run: RunWork },
): void {
  describe(`clock: ${name}`, () => {
    test('nowMs never goes back', () => {
      const { clock } = make();
      let last = clock.nowMs();
      for (let reading = 0; reading < 1000; reading++) {
        const now = clock.nowMs();
        assert.ok(now >= last);
        last = now;
      }
    });

    test('both go forward by what a timer waits', async () => {
      const { clock, timers, run } = make();
      await run(async () => {
        const [now, wall] = [clock.nowMs(), clock.wallMs()];
        await sleep(timers, 30);
        assert.ok(clock.nowMs() - now >= 30);
        // The time of day is read in whole milliseconds.
        assert.ok(clock.wallMs() - wall >= 29);
      });
    });

    test('wallMs counts from 1970', () => {
      const year = new Date(make().clock.wallMs()).getUTCFullYear();
      assert.ok(year >= 2025 && year < 2200, `year ${year}`);
    });
  });
}
