import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import type { Load } from '@heddle/traffic';

/** How long grpc-js may take from the pick to the start of a call: the time its call credentials take. */
const startMs = 5000;

interface Tentative {
  readonly call: Call;
  readonly pickedAtMs: number;
  started: boolean;
}

/** A pick that was counted, and what grpc-js says of it later. */
export interface CountedPick {
  started(): void;
  ended(error: HeddleError | undefined): void;
}

/**
 * Counts calls of grpc-js as in flight. Its `onCallStarted` comes too late for that: it runs in a promise after the
 * pick, so that calls of one turn would not see each other. They are counted at the pick, and those that were picked but
 * never started (cancelled meanwhile, or picked once more), of which nobody tells, are taken back after a while.
 */
export class TentativeCalls {
  readonly #runtime: Runtime;
  readonly #waiting: Tentative[] = [];

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Picked and not heard of since. */
  get size(): number {
    return this.#waiting.length;
  }

  /** A call was picked for whoever has this load. `call` is the pick's, of nobody else. */
  picked(call: Call, load: Load): CountedPick {
    const nowMs = this.#runtime.clock.nowMs();
    this.#takeBack(nowMs);
    load.begin(call);
    const tentative: Tentative = { call, pickedAtMs: nowMs, started: false };
    this.#waiting.push(tentative);
    let counted = call;
    return {
      started: () => {
        tentative.started = true;
        if (call.outcome === undefined) return;
        // Its credentials took longer than anybody waited: it is counted again.
        counted = Call.root(this.#runtime);
        load.begin(counted);
      },
      ended: (error) => counted.end(error),
    };
  }

  #takeBack(nowMs: number): void {
    const waiting = this.#waiting;
    let gone = 0;
    for (const { call, pickedAtMs, started } of waiting) {
      if (!started && nowMs - pickedAtMs < startMs) break;
      if (!started) call.end(neverStarted());
      gone++;
    }
    if (gone > 0) waiting.splice(0, gone);
  }
}

function neverStarted(): HeddleError {
  const message = 'the call was picked and never started';
  return new HeddleError({ code: 'cancelled', reason: 'NEVER_STARTED', message, sent: false });
}
