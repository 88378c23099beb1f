import type { Call } from '@heddle/kernel';
import { checkOptions, share } from '../options/check-options.ts';
import { type Candidate, inOrderOfId, type Picker, type Policy } from './picker.ts';
import type { Exclusion } from './exclusion.ts';

/** What `available` may be told. */
export interface AvailableOptions {
  /**
   * With fewer than this share of the candidates unblocked, blocks are not heeded (panic): a few instances would be
   * crushed by the traffic of all, and it is likelier that the judgement is wrong. Default 0.5; 0: only when all are.
   * That one cannot be reached is a fact and no judgement: it counts for neither side.
   */
  readonly panicShare?: number;
}

class AvailablePicker<C extends Candidate> implements Picker<C> {
  readonly policy: string;
  readonly candidates: readonly C[];
  readonly inner: Picker<C>;
  /** True when blocks are not heeded. */
  readonly panic: boolean;

  constructor(candidates: readonly C[], inner: Picker<C>, panic: boolean) {
    this.policy = inner.policy;
    this.candidates = candidates;
    this.inner = inner;
    this.panic = panic;
  }

  pick(call: Call, excluded: readonly string[]): C | undefined {
    const first = this.inner.pick(call, excluded);
    if (this.panic || first === undefined || first.blocked === undefined) return first;
    return this.#another(first, call, excluded);
  }

  /** Rare: `first` was blocked after this picker was made. Its successor, which knows, is on its way. */
  #another(first: C, call: Call, excluded: readonly string[]): C {
    let avoided = [...excluded, first.id];
    for (;;) {
      const next = this.inner.pick(call, avoided);
      if (next === undefined || avoided.includes(next.id)) return first;
      if (next.blocked === undefined) return next;
      avoided = [...avoided, next.id];
    }
  }

  exclusionOf(candidate: C): Exclusion | undefined {
    return this.inner.exclusionOf?.(candidate);
  }
}

/**
 * Leaves out candidates that are `blocked`, unless so few are left that it would do harm (panic). What blocks and
 * unblocks (a breaker, an ejection, a lost connection) has the policy make a new picker; a block that is newer than
 * the picker is heeded at the pick.
 *
 * A candidate that comes back is a newcomer to `policy`: `slowStart` inside of this one warms it up again.
 */
export function available(policy: Policy, options: AvailableOptions = {}): Policy {
  checkOptions('available', options, { panicShare: share });
  const { panicShare = 0.5 } = options;
  return <C extends Candidate>(candidates: readonly C[], previous: Picker<C> | undefined): Picker<C> => {
    const before = previous instanceof AvailablePicker ? (previous as AvailablePicker<C>).inner : undefined;
    const free = candidates.filter((candidate) => candidate.blocked === undefined);
    const reachable = candidates.filter(({ blocked }) => blocked?.reason !== 'unreachable');
    // If nobody can be reached, one of them may be back already.
    const all = reachable.length > 0 ? reachable : candidates;
    const panic = free.length === 0 || free.length < panicShare * all.length;
    return new AvailablePicker(inOrderOfId(candidates), policy(panic ? all : free, before), panic);
  };
}
