/** The longest rotation that is kept exact. Weights that need a longer one are scaled down and rounded. */
const longest = 1 << 16;

/**
 * An endless sequence of indexes in which index `i` occurs exactly `weights[i]` times in every `length` successive
 * elements, as evenly spread as can be.
 *
 * Each index is due at the times `(k + phase) / weight`, k = 0, 1, 2 …; the rotation is the order of these times
 * within [0, 1), repeated (earliest deadline first: J. Liu and J. Layland, 1973). It is found while it is first
 * walked, O(log n) a step, and read from an array ever after, O(1) a step.
 */
export class Rotation {
  /** Steps after which it repeats. */
  readonly length: number;
  readonly #weights: readonly number[];
  readonly #phases: readonly number[];
  /** The rotation as far as it is known. */
  readonly #steps: Uint32Array;
  #known = 0;
  /** Where the next step is read. */
  #at = 0;
  /** A binary heap of the indexes that still have a turn, by the time of that turn. */
  readonly #heap: number[];
  readonly #dueAt: Float64Array;
  readonly #turns: Uint32Array;

  /** `weights`: whole numbers, at least one above 0. `phases`: from 0 to 1, the share of its period each waits first. */
  constructor(weights: readonly number[], phases: readonly number[]) {
    this.#weights = weights;
    this.#phases = phases;
    this.length = weights.reduce((sum, weight) => sum + weight, 0);
    this.#steps = new Uint32Array(this.length);
    this.#turns = new Uint32Array(weights.length);
    this.#dueAt = Float64Array.from(weights, (weight, index) => (phases[index] as number) / weight);
    this.#heap = weights.flatMap((weight, index) => (weight > 0 ? [index] : []));
    this.#heap.sort((a, b) => (this.#before(a, b) ? -1 : 1));
  }

  /** The index whose turn it is. */
  next(): number {
    if (this.#at === this.#known) this.#extend();
    const index = this.#steps[this.#at] as number;
    this.#at = this.#at + 1 === this.length ? 0 : this.#at + 1;
    return index;
  }

  /** For each index: the share of its period (0 to 1) that it still has to wait. Index of weight 0: 0. O(length). */
  waits(): number[] {
    const turns = this.#weights.map(() => 0);
    for (let at = 0; at < this.#at; at++) (turns[this.#steps[at] as number] as number)++;
    const due = (index: number, turn: number): number => {
      return (turn + (this.#phases[index] as number)) / (this.#weights[index] as number);
    };
    const last = this.#steps[this.#at - 1];
    const now = this.#at === 0 || last === undefined ? 0 : due(last, (turns[last] as number) - 1);
    return this.#weights.map((weight, index) => {
      return weight === 0 ? 0 : Math.min(1, Math.max(0, (due(index, turns[index] as number) - now) * weight));
    });
  }

  #extend(): void {
    const index = this.#heap[0] as number;
    this.#steps[this.#known++] = index;
    const turns = (this.#turns[index] as number) + 1;
    this.#turns[index] = turns;
    const weight = this.#weights[index] as number;
    // Past its last turn in [0, 1) it is never due again: the heap empties exactly when the rotation is whole.
    this.#dueAt[index] =
      turns === weight ? Number.POSITIVE_INFINITY : (turns + (this.#phases[index] as number)) / weight;
    this.#sink();
  }

  #before(a: number, b: number): boolean {
    const byTime = (this.#dueAt[a] as number) - (this.#dueAt[b] as number);
    return byTime < 0 || (byTime === 0 && a < b);
  }

  #sink(): void {
    const heap = this.#heap;
    const moving = heap[0] as number;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#before(heap[child + 1] as number, heap[child] as number)) child++;
      if (!this.#before(heap[child] as number, moving)) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = moving;
  }
}

/**
 * Weights as a rotation wants them: whole, in lowest terms, at most `longest` together. If none is above 0, all
 * count alike.
 */
export function lowestTerms(weights: readonly number[]): number[] {
  const whole = weights.map((weight) => Math.max(0, Math.round(weight)));
  const total = whole.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return whole.map(() => 1);
  const divisor = whole.reduce(greatestCommonDivisor, 0);
  const scale = total / divisor <= longest ? 1 / divisor : longest / total;
  return whole.map((weight) => (weight === 0 ? 0 : Math.max(1, Math.round(weight * scale))));
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
