import type { Instance } from './instance.ts';

/** One change of a registry: an instance put (new or replaced) or removed. */
export interface Change {
  /** Consecutive: each change has the next number. */
  readonly revision: number;
  readonly service: string;
  readonly id: string;
  /** The instance as it is now; undefined if it was removed. */
  readonly instance: Instance | undefined;
}

/**
 * The last changes, so that a watcher that was away can be told what it missed. Bounded: what has fallen out is
 * compacted, and whoever asks from before that gets no answer and takes a full snapshot instead (as etcd's
 * `ErrCompacted`).
 */
export class ChangeLog {
  readonly #length: number;
  #changes: Change[] = [];
  /** The revision before the first one that is still here. */
  #floor: number;

  /** Keeps at least the last `length` changes, and less than twice as many. `revision` is the one to start after. */
  constructor(length: number, revision: number) {
    this.#length = length;
    this.#floor = revision;
  }

  append(change: Change): void {
    this.#changes.push(change);
    // In bulk, so that dropping costs nothing per change.
    if (this.#changes.length >= 2 * Math.max(1, this.#length)) {
      this.#floor += this.#changes.length - this.#length;
      this.#changes = this.#length === 0 ? [] : this.#changes.slice(-this.#length);
    }
  }

  /** All changes of one service after `revision`, in order; undefined if some of that time has been compacted. */
  since(service: string, revision: number): readonly Change[] | undefined {
    if (revision < this.#floor) return undefined;
    const found: Change[] = [];
    for (let at = revision - this.#floor; at < this.#changes.length; at++) {
      const change = this.#changes[at];
      if (change?.service === service) found.push(change);
    }
    return found;
  }
}
