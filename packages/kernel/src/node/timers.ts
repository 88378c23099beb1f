import type { Timer, Timers } from '../ports/timers.ts';

// Longer delays would fire at once (Node's limit is 2^31 - 1 ms, 24.8 days).
const longestMs = 0x7fff_ffff;

class NodeTimer implements Timer {
  readonly #handle: NodeJS.Timeout;
  constructor(delayMs: number, task: () => void) {
    this.#handle = setTimeout(task, Math.min(Math.ceil(delayMs), longestMs));
  }
  cancel(): void {
    clearTimeout(this.#handle);
  }
}

/** Node's timers. A delay is rounded up to whole milliseconds, since a deadline must not fire early. */
export const nodeTimers: Timers = {
  after: (delayMs, task) => new NodeTimer(delayMs, task),
  soon: (task) => {
    setImmediate(task);
  },
};
