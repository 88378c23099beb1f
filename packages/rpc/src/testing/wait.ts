import assert from 'node:assert/strict';
import { setTimeout } from 'node:timers/promises';

const pollMs = 5;
const limitMs = 15_000;

/** Resolves when the condition holds; rejects after 15 seconds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let polls = 0; !condition(); polls++) {
    assert.ok(polls < limitMs / pollMs, `still not so after ${limitMs} ms: ${condition.toString()}`);
    await setTimeout(pollMs);
  }
}
