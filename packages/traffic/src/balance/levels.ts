import type { Call, Random } from '@heddle/kernel';
import { type Candidate, inOrderOfId, type Picker, type Policy } from './picker.ts';
import type { Exclusion, ExclusionReason } from './exclusion.ts';

/** How much a level is believed to carry beyond what its healthy share says: 72 % healthy still take everything. */
const overprovisioning = 1.4;

/** How many of a level there are by weight, and how many of them can take calls. */
export interface LevelHealth {
  readonly able: number;
  readonly total: number;
}

/**
 * Which share of the calls each level takes, best level first; they add up to 1. A level takes all that it can carry
 * (its healthy share by weight, times 1.4), the next takes what is left. Where all levels together cannot carry
 * everything, each gets in proportion; where nobody is healthy, the first that has anybody gets it all.
 * Source: priority levels of Envoy.
 */
export function levelShares(levels: readonly LevelHealth[]): number[] {
  let left = 1;
  const shares = levels.map(({ able, total }) => {
    const share = total === 0 ? 0 : Math.min(left, (overprovisioning * able) / total);
    left -= share;
    return share;
  });
  const sum = 1 - left;
  if (sum > 1e-9) return shares.map((share) => share / sum);
  const first = levels.findIndex(({ total }) => total > 0);
  return levels.map((_, index) => (index === first ? 1 : 0));
}

/** What `leveled` is made of. */
export interface LevelOptions {
  /** `locality` or `priority`, for decision records. */
  readonly name: string;
  readonly random: Random;
  /** 0 for the best level. */
  readonly levelOf: (candidate: Candidate) => number;
  /** Why one stands back whose level gets nothing. */
  readonly reason: ExclusionReason;
  /** What a level is called, for people. */
  readonly nameOf: (level: number) => string;
}

class LeveledPicker<C extends Candidate> implements Picker<C> {
  readonly policy: string;
  readonly candidates: readonly C[];
  /** By level; empty where a level has nobody. */
  readonly pickers: readonly Picker<C>[];
  readonly shares: readonly number[];
  readonly #options: LevelOptions;
  /** The level that takes everything, if one does: no need to draw. */
  readonly #only: Picker<C> | undefined;

  constructor(
    candidates: readonly C[],
    pickers: readonly Picker<C>[],
    shares: readonly number[],
    options: LevelOptions,
  ) {
    this.policy = `${options.name}(${pickers[0]?.policy ?? ''})`;
    this.candidates = candidates;
    this.pickers = pickers;
    this.shares = shares;
    this.#options = options;
    this.#only = pickers[shares.findIndex((share) => share > 1 - 1e-9)];
  }

  pick(call: Call, excluded: readonly string[]): C | undefined {
    const picker = this.#only ?? this.#drawn();
    const candidate = picker?.pick(call, excluded);
    if (excluded.length === 0 || candidate === undefined || !excluded.includes(candidate.id))
      return candidate;
    // This level is used up for the call: any other is better than going where it has failed.
    for (const other of this.pickers) {
      const next = other.pick(call, excluded);
      if (next !== undefined && !excluded.includes(next.id)) return next;
    }
    return candidate;
  }

  exclusionOf(candidate: C): Exclusion | undefined {
    const { levelOf, nameOf, reason } = this.#options;
    const level = levelOf(candidate);
    if ((this.shares[level] ?? 0) > 0) return this.pickers[level]?.exclusionOf?.(candidate);
    const takers = this.shares.flatMap((share, index) =>
      share > 0 ? [`${nameOf(index)} takes ${Math.round(share * 100)} %`] : [],
    );
    return { reason, detail: `${nameOf(level)}: ${takers.join(', ')}` };
  }

  #drawn(): Picker<C> | undefined {
    let draw = this.#options.random.float();
    for (const [level, share] of this.shares.entries()) {
      draw -= share;
      if (draw < 0) return this.pickers[level];
    }
    return this.pickers[this.shares.findLastIndex((share) => share > 0)];
  }
}

/** Puts each candidate on a level, best level first, with a picker of `policy` for each. See `levelShares`. */
export function leveled(policy: Policy, options: LevelOptions): Policy {
  return <C extends Candidate>(candidates: readonly C[], previous: Picker<C> | undefined): Picker<C> => {
    const before = previous instanceof LeveledPicker ? (previous as LeveledPicker<C>).pickers : [];
    const levels: C[][] = [[]];
    const weightless = candidates.every(({ weight }) => weight === 0);
    for (const candidate of candidates) {
      const level = options.levelOf(candidate);
      while (levels.length <= level) levels.push([]);
      levels[level]?.push(candidate);
    }
    const shares = levelShares(levels.map((level) => healthOf(level, weightless)));
    const pickers = levels.map((level, index) => policy(level, before[index]));
    return new LeveledPicker(inOrderOfId(candidates), pickers, shares, options);
  };
}

function healthOf(candidates: readonly Candidate[], weightless: boolean): LevelHealth {
  let able = 0;
  let total = 0;
  for (const { weight, blocked } of candidates) {
    const counts = weightless ? 1 : weight;
    total += counts;
    if (blocked === undefined) able += counts;
  }
  return { able, total };
}
