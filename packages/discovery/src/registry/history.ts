import type { Clock } from '@heddle/kernel';
import type { Position } from './snapshot.ts';

/**
 * Positions for a backend whose own numbers do not order all that ever was: it has none, or they begin anew when it is
 * wiped. The term is the time of day when this history began, so that one that a later process sees is a later one.
 */
export class History {
  readonly #clock: Clock;
  #term: number;
  #revision = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#term = Math.max(0, Math.floor(clock.wallMs()));
  }

  /** Where it stands. */
  get now(): Position {
    return { term: this.#term, revision: this.#revision };
  }

  /** One step on, for a backend that does not count its changes. */
  next(): Position {
    this.#revision += 1;
    return this.now;
  }

  /** The position of a revision that the backend itself counts. */
  at(revision: number): Position {
    this.#revision = Math.max(this.#revision, revision);
    return { term: this.#term, revision };
  }

  /** The backend counts from the beginning again: whatever comes is newer than all that was. */
  beginAnew(): void {
    this.#term = Math.max(this.#term + 1, Math.floor(this.#clock.wallMs()));
    this.#revision = 0;
  }
}
