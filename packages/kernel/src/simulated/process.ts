import type { Clock } from '../ports/clock.ts';
import type { Timer, Timers } from '../ports/timers.ts';
import type { VirtualTime } from './virtual-time.ts';

/**
 * How a process ends. `killed`: as by SIGKILL; its system lives on, closes its sockets and keeps what it wrote.
 * `power`: its system is gone with it, without a word to anybody, and with what was not synced.
 */
export type Death = 'killed' | 'power';

/** What a `SimulatedProcess` may be told. */
export interface SimulatedProcessOptions {
  /** Told what a task threw, as `uncaughtException` would be. Default: it is thrown out of `VirtualTime`. */
  readonly onUncaught?: (mistake: unknown) => void;
}

/**
 * One run of a program on simulated time. All that comes to it from outside (timers, bytes, answers of its disk)
 * enters through here, so that it can be stopped as SIGSTOP stops it, or ended.
 *
 * After its end nothing enters: timers do not fire, promises of its ports do not settle. That stops code at its next
 * wait for a port. A loop of promises that waits for none cannot be stopped from outside, neither here nor in Node.
 */
export class SimulatedProcess {
  /** Goes on while paused. `wallMs` is moved by `jumpWall`. */
  readonly clock: Clock;
  readonly timers: Timers;
  readonly #time: VirtualTime;
  readonly #onUncaught: ((mistake: unknown) => void) | undefined;
  readonly #onDeath: ((death: Death) => void)[] = [];
  #waiting: (() => void)[] = [];
  #state: 'running' | 'paused' | 'dead' = 'running';
  #draining = false;
  #wallOffsetMs = 0;

  constructor(time: VirtualTime, options: SimulatedProcessOptions = {}) {
    this.#time = time;
    this.#onUncaught = options.onUncaught;
    const { clock } = time;
    this.clock = { nowMs: () => clock.nowMs(), wallMs: () => clock.wallMs() + this.#wallOffsetMs };
    this.timers = {
      after: (delayMs, task) => this.#after(delayMs, task),
      soon: (task) => {
        if (this.alive) time.timers.soon(() => this.enter(task));
      },
    };
  }

  get alive(): boolean {
    return this.#state !== 'dead';
  }

  get paused(): boolean {
    return this.#state === 'paused';
  }

  /** Runs `task` in this process: now, when it wakes up, or never. For ports; call it from an event of its own. */
  enter(task: () => void): void {
    if (this.#state === 'dead') return;
    // Behind those that wait already: what came first is handled first.
    if (this.#state === 'paused' || this.#waiting.length > 0) this.#waiting.push(task);
    else this.#run(task);
  }

  /** Stops it where it is. Time goes on, and what comes meanwhile waits. */
  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  /** Lets it go on. What has waited is handled first, in order, each in its own turn. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#drainSoon();
  }

  /** Ends it. Nothing that it waits for will come. */
  end(death: Death): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#waiting = [];
    for (const listener of this.#onDeath.splice(0)) listener(death);
  }

  /** Hears of the end. For ports, which let go of what they hold for this process. */
  onDeath(listener: (death: Death) => void): void {
    this.#onDeath.push(listener);
  }

  /** Sets the time of day forward or (negative) back, as an administrator or a time server would. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  #after(delayMs: number, task: () => void): Timer {
    if (!this.alive) return { cancel: () => {} };
    let cancelled = false;
    const timer = this.#time.timers.after(delayMs, () => {
      this.enter(() => {
        // It may have been cancelled after it fell due, by something that waited before it.
        if (!cancelled) task();
      });
    });
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }

  #drainSoon(): void {
    if (this.#draining || this.#waiting.length === 0) return;
    this.#draining = true;
    this.#time.timers.soon(() => {
      this.#draining = false;
      if (this.#state !== 'running') return;
      const task = this.#waiting.shift();
      this.#drainSoon();
      if (task !== undefined) this.#run(task);
    });
  }

  #run(task: () => void): void {
    if (this.#onUncaught === undefined) {
      task();
      return;
    }
    try {
      task();
    } catch (mistake) {
      this.#onUncaught(mistake);
    }
  }
}
