/**
 * Which position a consumer may commit, when messages are taken in order and done in any order: the one before the
 * first that is not done. Pure bookkeeping for one partition.
 */
export class CommitPrefix {
  /** Taken and not yet below the position, in order. */
  #waiting: number[] = [];
  readonly #done = new Set<number>();
  #next: number;

  /** `next`: the first offset that is not committed. */
  constructor(next: number) {
    this.#next = next;
  }

  /** The position: all before it is done. */
  get next(): number {
    return this.#next;
  }

  take(offset: number): void {
    this.#waiting.push(offset);
  }

  /** Marks one as done; true if the position has moved. */
  done(offset: number): boolean {
    this.#done.add(offset);
    const before = this.#next;
    let passed = 0;
    for (const each of this.#waiting) {
      if (!this.#done.delete(each)) break;
      this.#next = each + 1;
      passed += 1;
    }
    if (passed > 0) this.#waiting = this.#waiting.slice(passed);
    return this.#next !== before;
  }
}
