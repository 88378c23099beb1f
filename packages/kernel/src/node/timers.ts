import type { Timer, Timers } from '../ports/timers.ts';

// Longer delays would fire at once (Node's limit is 2^31 - 1 ms, 24.8 days).
const longestMs = 0x7fff_ffff;

class NodeTimer implements Timer {
  readonly #dueMs: number;
  readonly #task: () => void;
  #handle: NodeJS.Timeout;

  constructor(delayMs: number, task: () => void) {
    this.#dueMs = performance.now() + delayMs;
    this.#task = task;
    this.#handle = setTimeout(fire, wholeMs(delayMs), this);
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }

  fire(): void {
    const leftMs = this.#dueMs - performance.now();
    if (leftMs > 0) this.#handle = setTimeout(fire, wholeMs(leftMs), this);
    else this.#task();
  }
}

function fire(timer: NodeTimer): void {
  timer.fire();
}

function wholeMs(delayMs: number): number {
  return Math.min(Math.ceil(delayMs), longestMs);
}

/**
 * Node's timers, held to the contract: Node counts from the start of the turn and in whole milliseconds, so that
 * one set late in a long turn fires early; and it cannot wait longer than 24.8 days. Such a timer is set again.
 */
export const nodeTimers: Timers = {
  after: (delayMs, task) => new NodeTimer(delayMs, task),
  soon: (task) => {
    setImmediate(task);
  },
};
