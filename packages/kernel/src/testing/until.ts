import type { Runtime } from '../ports/runtime.ts';
import { sleep } from '../sleep.ts';

/** A pause between two looks that took longer than this says that the machine had no time for us. */
const longestPauseMs = 50;

/**
 * For tests on real servers: waits until `condition` holds, looking every 5 ms. Rejects after `limitMs` with what was
 * waited for, which may say how it is by then; time in which this process stood still does not count.
 */
export async function until(
  { clock, timers }: Pick<Runtime, 'clock' | 'timers'>,
  what: string | (() => string),
  limitMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  let leftMs = limitMs;
  for (;;) {
    const lookingMs = clock.nowMs();
    if (await condition()) return;
    const lookedMs = clock.nowMs();
    leftMs -= lookedMs - lookingMs;
    if (leftMs < 0) throw new Error(`not within ${limitMs} ms: ${typeof what === 'string' ? what : what()}`);
    await sleep(timers, 5);
    leftMs -= Math.min(longestPauseMs, clock.nowMs() - lookedMs);
  }
}
