import { type Call, sleep, type Timers } from '@heddle/kernel';
import type { FeedState } from './state-feed.ts';

/** A state, and for how long it need not be asked for again. */
export interface PolledState extends FeedState {
  readonly freshMs: number;
}

/** Follows a backend that tells nobody of changes: asks it again and again. For the body of a `Follow`. */
export async function* polled(
  timers: Timers,
  call: Call,
  ask: () => Promise<PolledState>,
): AsyncGenerator<FeedState, void> {
  for (;;) {
    const state = await ask();
    yield state;
    await sleep(timers, state.freshMs, call);
  }
}
