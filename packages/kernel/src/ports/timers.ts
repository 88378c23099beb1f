/** A task that has not run yet. */
export interface Timer {
  /** The task will not run. Does nothing once it has. */
  cancel(): void;
}

/** Later, on the monotonic clock. */
export interface Timers {
  /**
   * Runs `task` once, not before `delayMs` milliseconds (0 or more) have passed.
   * A pending task keeps the process alive, so whatever sets one cancels it when it stops.
   */
  after(delayMs: number, task: () => void): Timer;
  /** Runs `task` once, when the input at hand has been handled: for gathering many small writes into one. */
  soon(task: () => void): void;
}
