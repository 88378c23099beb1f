import assert from 'node:assert/strict';
import { sleep } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';

const { timers } = nodeRuntime({ name: 'test', logLevel: 'error' });
const patienceMs = 60_000;

/** For tests: asks again until the answer is what is wanted, and gives it. Fails after a minute with the last one. */
export async function becomes<T>(ask: () => Promise<T>, isSo: (now: T) => boolean): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const now = await ask();
    if (isSo(now)) return now;
    if (performance.now() > giveUpAt) assert.fail(`it is ${JSON.stringify(now)}`);
    await sleep(timers, 20);
  }
}

/** The same for an exact answer. */
export async function answers<T>(ask: () => Promise<T>, wanted: T): Promise<void> {
  await becomes(ask, (now) => now === wanted);
}
