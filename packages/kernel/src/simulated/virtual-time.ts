import type { Clock } from '../ports/clock.ts';
import type { Timer, Timers } from '../ports/timers.ts';

interface Task {
  readonly atMs: number;
  readonly order: number;
  /** Undefined once it has run or was cancelled. */
  run: (() => void) | undefined;
}

// Below this many cancelled tasks, waiting for them to come up costs less than sweeping them out.
const sweepFrom = 64;

/**
 * A clock that moves only when told to, and the timers that hang on it. Tasks run in order of their time, and in
 * order of their making where times are equal, so a run depends on nothing but its inputs.
 */
export class VirtualTime {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly #wallStartMs: number;
  #heap: Task[] = [];
  #cancelled = 0;
  #nowMs = 0;
  #made = 0;

  /** `wallStartMs` is the time of day at the start; default 2026-01-01 UTC. */
  constructor(wallStartMs: number = Date.UTC(2026, 0, 1)) {
    this.#wallStartMs = wallStartMs;
    this.clock = { nowMs: () => this.#nowMs, wallMs: () => this.#wallStartMs + this.#nowMs };
    this.timers = {
      after: (delayMs, task) => this.#schedule(this.#nowMs + Math.max(0, delayMs), task),
      soon: (task) => {
        this.#schedule(this.#nowMs, task);
      },
    };
  }

  /** Tasks that are waiting. */
  get pending(): number {
    return this.#heap.length - this.#cancelled;
  }

  /** Moves the clock forward by `byMs` and runs all that falls due, letting promises settle after each task. */
  async advance(byMs: number): Promise<void> {
    if (!(byMs >= 0)) throw new RangeError(`time goes forward only: expected 0 ms or more, got ${byMs}`);
    const untilMs = this.#nowMs + byMs;
    await settlePromises();
    while (this.#nextAtMs() <= untilMs) await this.#runNext();
    this.#nowMs = untilMs;
    await settlePromises();
  }

  /**
   * Runs task after task until `condition` holds. Throws when none is left, or when the clock would pass `limitMs`
   * from now (default: one simulated hour) first.
   */
  async runUntil(condition: () => boolean, limitMs = 3_600_000): Promise<void> {
    const untilMs = this.#nowMs + limitMs;
    await settlePromises();
    while (!condition()) {
      const nextMs = this.#nextAtMs();
      if (nextMs === Number.POSITIVE_INFINITY) throw new Error(`nothing left to run at ${this.#nowMs} ms`);
      if (nextMs > untilMs) throw new Error(`the condition did not come true within ${limitMs} ms`);
      await this.#runNext();
    }
  }

  /** Runs the promise's work to its end in virtual time, and gives what it gives. Limits as `runUntil`. */
  async run<T>(work: Promise<T>, limitMs?: number): Promise<T> {
    let settled = false;
    const mark = (): void => {
      settled = true;
    };
    work.then(mark, mark);
    await this.runUntil(() => settled, limitMs);
    return work;
  }

  #schedule(atMs: number, run: () => void): Timer {
    const task: Task = { atMs, order: this.#made++, run };
    push(this.#heap, task);
    return {
      cancel: () => {
        if (task.run === undefined) return;
        task.run = undefined;
        this.#cancelled++;
        if (this.#cancelled >= sweepFrom && this.#cancelled * 2 > this.#heap.length) this.#sweep();
      },
    };
  }

  /** Deadlines are set by the thousand and nearly all are cancelled: without this they would pile up until due. */
  #sweep(): void {
    const waiting = this.#heap.filter((task) => task.run !== undefined);
    this.#heap = [];
    this.#cancelled = 0;
    for (const task of waiting) push(this.#heap, task);
  }

  #nextAtMs(): number {
    while (this.#heap[0] !== undefined && this.#heap[0].run === undefined) {
      pop(this.#heap);
      this.#cancelled--;
    }
    return this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  async #runNext(): Promise<void> {
    const task = pop(this.#heap);
    if (task?.run === undefined) return;
    this.#nowMs = Math.max(this.#nowMs, task.atMs);
    const { run } = task;
    task.run = undefined;
    run();
    await settlePromises();
  }
}

/** One turn of the event loop: every promise job that can run has run by then. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function before(a: Task, b: Task): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

function push(heap: Task[], task: Task): void {
  let at = heap.push(task) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent] as Task;
    if (before(above, task)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = task;
}

function pop(heap: Task[]): Task | undefined {
  const top = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return top;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Task, heap[child] as Task)) child++;
    const below = heap[child] as Task;
    if (before(last, below)) break;
    heap[at] = below;
    at = child;
  }
  heap[at] = last;
  return top;
}
