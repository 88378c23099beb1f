import type { Runtime, Timer } from '@heddle/kernel';

/** Something with deadlines that may pass. */
export interface Sweepable {
  /** Called now and then; `nowMs` is the monotonic time. May leave the sweep. */
  sweep(nowMs: number): void;
}

/**
 * One timer for the deadlines of many connections: each is looked at once per period, so a time limit costs a
 * number and no timer of its own, and is kept to within a period. The timer runs only while somebody is there.
 */
export class Sweep {
  readonly #runtime: Runtime;
  readonly #periodMs: number;
  readonly #members = new Set<Sweepable>();
  #timer: Timer | undefined;

  constructor(runtime: Runtime, periodMs: number) {
    this.#runtime = runtime;
    this.#periodMs = periodMs;
  }

  get size(): number {
    return this.#members.size;
  }

  add(member: Sweepable): void {
    this.#members.add(member);
    this.#timer ??= this.#runtime.timers.after(this.#periodMs, this.#run);
  }

  delete(member: Sweepable): void {
    this.#members.delete(member);
    if (this.#members.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  readonly #run = (): void => {
    this.#timer = undefined;
    const nowMs = this.#runtime.clock.nowMs();
    for (const member of this.#members) member.sweep(nowMs);
    if (this.#members.size > 0) this.#timer ??= this.#runtime.timers.after(this.#periodMs, this.#run);
  };
}
