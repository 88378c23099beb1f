// Chance under a seed, with the few questions that generators ask.
import { seededRandom } from '@heddle/kernel/simulated';

/** A row of decisions that the same seed makes again. */
export class Chance {
  readonly #random: ReturnType<typeof seededRandom>;

  /** How rare bad habits are: this many times rarer than where they are asked for. Default 1. */
  calm = 1;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** Uniform in [0, bound); 0 if `bound` is 0. */
  below(bound: number): number {
    return bound === 0 ? 0 : this.#random.uint32() % bound;
  }

  /** True once in so many times. */
  oneIn(many: number): boolean {
    return this.below(many) === 0;
  }

  /** One of them. The list must not be empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** One of the first `good`, and of all once in `rarely` times: an input in which all is bad says little. */
  mostly<T>(good: number, list: readonly T[], rarely = 8): T {
    return list[this.below(this.rarely(rarely) ? list.length : good)] as T;
  }

  /** A bad habit: true once in so many times, and less often in a calm input. */
  rarely(many: number): boolean {
    return this.oneIn(many * this.calm);
  }

  /** As many of them as `make` is asked for. */
  some<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }

  bytes(count: number): Uint8Array {
    return this.#random.bytes(count);
  }
}
