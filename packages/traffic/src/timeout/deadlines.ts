import type { Runtime, Timer, Timers } from '@heddle/kernel';

/** What is due sooner than this gets a timer of its own at once. */
const bucketMs = 128;

/** Those that fall due within one stretch of time, in a doubly linked list: joining and leaving allocate nothing. */
interface Bucket {
  first: Waiting | undefined;
}

class Waiting implements Timer {
  readonly dueMs: number;
  readonly task: () => void;
  previous: Waiting | undefined;
  next: Waiting | undefined;
  /** Where it waits; undefined once it has a timer of its own, or is done. */
  bucket: Bucket | undefined;
  timer: Timer | undefined;
  readonly #deadlines: Deadlines;

  constructor(deadlines: Deadlines, dueMs: number, task: () => void) {
    this.#deadlines = deadlines;
    this.dueMs = dueMs;
    this.task = task;
  }

  cancel(): void {
    if (this.bucket !== undefined) this.#deadlines.leave(this, this.bucket);
    else this.timer?.cancel();
  }
}

/**
 * Timers for deadlines, of which every call sets one and nearly none goes off: a timer of the system for each costs more
 * than all layers of a call together. Here a deadline waits in a list; only those that come near get a timer, so that
 * they go off as exactly as any other. One timer is set for all that wait, while any do.
 */
export class Deadlines {
  readonly #runtime: Pick<Runtime, 'clock' | 'timers'>;
  /** By number: `dueMs / bucketMs`, rounded down. */
  readonly #buckets = new Map<number, Bucket>();
  #waiting = 0;
  #timer: Timer | undefined;
  /** The bucket that the timer opens. */
  #next = Number.POSITIVE_INFINITY;

  constructor(runtime: Pick<Runtime, 'clock' | 'timers'>) {
    this.#runtime = runtime;
  }

  /** Runs `task` once at `dueMs` of the clock, which says `nowMs`, and not before. */
  at(dueMs: number, nowMs: number, task: () => void): Timer {
    const number = Math.floor(dueMs / bucketMs);
    if (number * bucketMs <= nowMs) return this.#runtime.timers.after(Math.max(0, dueMs - nowMs), task);
    const waiting = new Waiting(this, dueMs, task);
    this.#join(waiting, number);
    if (number < this.#next) this.#arm(number, nowMs);
    return waiting;
  }

  /** For `Waiting`: it need not go off. */
  leave(waiting: Waiting, bucket: Bucket): void {
    const { previous, next } = waiting;
    if (previous === undefined) bucket.first = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
    waiting.bucket = undefined;
    if (--this.#waiting === 0) this.#rest();
  }

  #join(waiting: Waiting, number: number): void {
    let bucket = this.#buckets.get(number);
    if (bucket === undefined) this.#buckets.set(number, (bucket = { first: undefined }));
    const { first } = bucket;
    waiting.bucket = bucket;
    waiting.next = first;
    if (first !== undefined) first.previous = waiting;
    bucket.first = waiting;
    this.#waiting++;
  }

  #arm(number: number, nowMs: number): void {
    this.#timer?.cancel();
    this.#next = number;
    // An endless delay is none that a clock comes to.
    if (number === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#runtime.timers.after(number * bucketMs - nowMs, () => this.#open());
  }

  /** Gives a timer to each that comes near. */
  #open(): void {
    const { clock, timers } = this.#runtime;
    const nowMs = clock.nowMs();
    for (const [number, bucket] of this.#buckets) {
      if (number * bucketMs > nowMs) continue;
      this.#buckets.delete(number);
      for (let each = oldest(bucket); each !== undefined; each = each.previous) {
        each.bucket = undefined;
        this.#waiting--;
        each.timer = timers.after(Math.max(0, each.dueMs - nowMs), each.task);
      }
    }
    this.#timer = undefined;
    this.#next = Number.POSITIVE_INFINITY;
    if (this.#waiting === 0) this.#rest();
    else this.#arm(this.#earliest(), nowMs);
  }

  /** The first bucket with somebody in it; those that all have left are forgotten. */
  #earliest(): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const [number, { first }] of this.#buckets) {
      if (first === undefined) this.#buckets.delete(number);
      else earliest = Math.min(earliest, number);
    }
    return earliest;
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#next = Number.POSITIVE_INFINITY;
    this.#buckets.clear();
  }
}

/** The one that joined first: who waits longest goes first where two are due together. */
function oldest({ first }: Bucket): Waiting | undefined {
  let last = first;
  while (last?.next !== undefined) last = last.next;
  return last;
}

const known = new WeakMap<Timers, Deadlines>();

/** Those of a runtime, made at first use. */
export function deadlinesOf(runtime: Runtime): Deadlines {
  let deadlines = known.get(runtime.timers);
  if (deadlines === undefined) known.set(runtime.timers, (deadlines = new Deadlines(runtime)));
  return deadlines;
}
