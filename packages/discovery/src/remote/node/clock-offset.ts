/**
 * How far the clock of another thread is from ours, learned from its messages. A message takes time, so each one says
 * too much; the least that was said is the best, and times converted by it are a little early, never late.
 */
export class ClockOffset {
  #offsetMs = Number.POSITIVE_INFINITY;

  /** A message that was sent at `theirsMs` has come at `oursMs`. */
  note(theirsMs: number, oursMs: number): void {
    this.#offsetMs = Math.min(this.#offsetMs, oursMs - theirsMs);
  }

  toOurs(theirsMs: number): number {
    return theirsMs + this.#offsetMs;
  }

  toTheirs(oursMs: number): number {
    return oursMs - this.#offsetMs;
  }
}
