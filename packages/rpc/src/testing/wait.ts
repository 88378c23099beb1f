import assert from 'node:assert/strict';
import { sleep } from '@heddle/kernel';
import { nodeTimers } from '@heddle/kernel/node';

const pollMs = 5;
const limitMs = 15_000;

/** Resolves when the condition holds; rejects after 15 seconds. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let polls = 0; !(await condition()); polls++) {
    assert.ok(polls < limitMs / pollMs, `still not so after ${limitMs} ms: ${condition.toString()}`);
    await sleep(nodeTimers, pollMs);
  }
}
