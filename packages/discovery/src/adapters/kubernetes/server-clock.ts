import type { Clock } from '@heddle/kernel';

const windowMs = 60_000;

/**
 * The API server's time of day, from the dates of its answers: leases are written and judged by that, so that no clock
 * of ours has a say, and none that jumps does harm. A date is of whole seconds and comes late, never early, so the
 * newest offset is the greatest of the last minute or two: right to some milliseconds after a few answers.
 */
export class ServerClock {
  readonly #clock: Clock;
  #present = Number.NEGATIVE_INFINITY;
  #past = Number.NEGATIVE_INFINITY;
  #turnedMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#turnedMs = clock.nowMs();
  }

  /** `date`: as in the field of an answer that has just come. */
  note(date: string | undefined): void {
    const serverMs = date === undefined ? Number.NaN : Date.parse(date);
    if (Number.isNaN(serverMs)) return;
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#turnedMs > windowMs) {
      this.#past = this.#present;
      this.#present = Number.NEGATIVE_INFINITY;
      this.#turnedMs = nowMs;
    }
    this.#present = Math.max(this.#present, serverMs - nowMs);
  }

  /** Milliseconds since 1970 at the server; our own time of day until it has said something. */
  get nowMs(): number {
    const offsetMs = Math.max(this.#present, this.#past);
    return Number.isFinite(offsetMs) ? this.#clock.nowMs() + offsetMs : this.#clock.wallMs();
  }
}
