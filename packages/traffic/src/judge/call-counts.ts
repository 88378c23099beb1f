/** What has become of some calls to a target, as one process tells it to the others that call it. */
export interface CallCounts {
  readonly calls: number;
  readonly failures: number;
  /** The last of them: failures since one went well. All of `calls`, if none did. */
  readonly failuresInARow: number;
  /** Of all calls together, each until its answer began. */
  readonly totalMs: number;
}

/** Gathers calls until they are told. */
export class CallTally {
  #calls = 0;
  #failures = 0;
  #failuresInARow = 0;
  #totalMs = 0;

  add(failed: boolean, tookMs: number): void {
    this.#calls++;
    this.#totalMs += tookMs;
    if (failed) this.#failures++;
    this.#failuresInARow = failed ? this.#failuresInARow + 1 : 0;
  }

  /** What has come since the last time; undefined if nothing has. */
  take(): CallCounts | undefined {
    const [calls, failures, failuresInARow, totalMs] = [
      this.#calls,
      this.#failures,
      this.#failuresInARow,
      this.#totalMs,
    ];
    if (calls === 0) return undefined;
    this.#calls = 0;
    this.#failures = 0;
    this.#failuresInARow = 0;
    this.#totalMs = 0;
    return { calls, failures, failuresInARow, totalMs };
  }
}

/** How many have failed in a row, `own` of them here, when others tell theirs. */
export function rowWith(own: number, { calls, failures, failuresInARow }: CallCounts): number {
  return (failures < calls ? 0 : own) + failuresInARow;
}
