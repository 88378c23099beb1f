import type { Clock, Runtime, Timer } from '@heddle/kernel';
import { checkOptions, durationMs, someShare } from '../options/check-options.ts';

/** How late this process is with its work: what `shed` decides by. */
export interface DelayMonitor {
  /** Milliseconds that work which comes now waits before it is begun; 0 or more. Cheap: asked for each call. */
  readonly delayMs: number;
}

/** What `LoopDelay` may be told. */
export interface LoopDelayOptions {
  /** How often it looks. Default 20. */
  readonly everyMs?: number;
  /** Share of the new value in the moving average when it falls; a rise counts at once. Default 0.3. */
  readonly smoothing?: number;
}

/**
 * The delay of the event loop, measured by how late a timer fires. While a look is overdue its lateness counts
 * already: a loop that is blocked shows it to the first call that is handled afterwards. Runs from `start` to `stop`.
 */
export class LoopDelay implements DelayMonitor {
  readonly #clock: Clock;
  readonly #timers: Runtime['timers'];
  readonly #everyMs: number;
  readonly #smoothing: number;
  #averageMs = 0;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #timer: Timer | undefined;

  constructor({ clock, timers }: Pick<Runtime, 'clock' | 'timers'>, options: LoopDelayOptions = {}) {
    checkOptions('loop delay', options, { everyMs: durationMs, smoothing: someShare });
    this.#clock = clock;
    this.#timers = timers;
    this.#everyMs = options.everyMs ?? 20;
    this.#smoothing = options.smoothing ?? 0.3;
  }

  get delayMs(): number {
    return Math.max(this.#averageMs, this.#clock.nowMs() - this.#dueAtMs, 0);
  }

  /** Begins to look. */
  start(): void {
    this.stop();
    this.#look();
  }

  /** Looks no more; the delay is 0. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueAtMs = Number.POSITIVE_INFINITY;
    this.#averageMs = 0;
  }

  #look(): void {
    this.#dueAtMs = this.#clock.nowMs() + this.#everyMs;
    this.#timer = this.#timers.after(this.#everyMs, () => {
      const lateMs = Math.max(0, this.#clock.nowMs() - this.#dueAtMs);
      const change = lateMs - this.#averageMs;
      this.#averageMs += change > 0 ? change : change * this.#smoothing;
      this.#look();
    });
  }
}
