import type { Criterion } from '../model/system.ts';

/** What one criterion says of a pair. */
export interface CouplingPart {
  readonly criterion: Criterion;
  /** From -1 to 1. */
  readonly value: number;
  /** What the value was made from, for people. */
  readonly evidence: string;
}

/** A set of pairs that is worth looking at is small; groups above this say little about any two of their members. */
export const crowd = 64;

/** What is known of each pair of `size` things, by their positions. Pairs that nothing is known of take no room. */
export class PairTable {
  readonly size: number;
  readonly #parts = new Map<number, CouplingPart[]>();

  constructor(size: number) {
    this.size = size;
  }

  /** Adds what a criterion says of the pair; a second word of the same criterion is added to the first. */
  add(a: number, b: number, part: CouplingPart): void {
    if (a === b || part.value === 0) return;
    const key = a < b ? a * this.size + b : b * this.size + a;
    const parts = this.#parts.get(key);
    if (parts === undefined) {
      this.#parts.set(key, [part]);
      return;
    }
    const at = parts.findIndex(({ criterion }) => criterion === part.criterion);
    if (at < 0) parts.push(part);
    else parts[at] = joined(parts[at] as CouplingPart, part);
  }

  /** Whether anything is known of the pair. */
  has(a: number, b: number): boolean {
    return this.#parts.has(a < b ? a * this.size + b : b * this.size + a);
  }

  /** All pairs, in the order of their positions. */
  *entries(): Generator<readonly [a: number, b: number, parts: readonly CouplingPart[]]> {
    const keys = Float64Array.from(this.#parts.keys()).sort();
    for (const key of keys) {
      const a = Math.floor(key / this.size);
      yield [a, key - a * this.size, this.#parts.get(key) as CouplingPart[]];
    }
  }
}

function joined(first: CouplingPart, second: CouplingPart): CouplingPart {
  const value = Math.max(-1, Math.min(1, first.value + second.value));
  return { criterion: first.criterion, value, evidence: `${first.evidence}; ${second.evidence}` };
}

/** Calls back for each pair of members of each group, except for groups that are a crowd. */
export function eachPair(groups: Iterable<readonly number[]>, visit: (a: number, b: number) => void): void {
  for (const members of groups) {
    if (members.length > crowd) continue;
    for (let first = 0; first < members.length; first++) {
      for (let second = first + 1; second < members.length; second++) {
        visit(members[first] as number, members[second] as number);
      }
    }
  }
}
