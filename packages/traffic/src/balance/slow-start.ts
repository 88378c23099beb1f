import type { Call, Clock, Random } from '@heddle/kernel';
import { checkOptions, durationMs, present, someShare } from '../options/check-options.ts';
import { type Candidate, inOrderOfId, type Picker, type Policy } from './picker.ts';
import type { Exclusion } from './exclusion.ts';

/** How a newcomer is warmed up. */
export interface SlowStartOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** From its first share to its full one. Default 30000. */
  readonly windowMs?: number;
  /** The share of its weight that it starts with, above 0 up to 1. Default 0.1. */
  readonly startShare?: number;
}

/** Since when a newcomer is there, and the list that leaves it out. */
interface Warming {
  readonly sinceMs: number;
  readonly without: readonly string[];
}

class SlowStartPicker<C extends Candidate> implements Picker<C> {
  readonly policy: string;
  readonly candidates: readonly C[];
  readonly inner: Picker<C>;
  readonly warming: Map<string, Warming>;
  readonly #options: SlowStartOptions;

  constructor(
    candidates: readonly C[],
    inner: Picker<C>,
    warming: Map<string, Warming>,
    options: SlowStartOptions,
  ) {
    this.policy = `slow_start(${inner.policy})`;
    this.candidates = candidates;
    this.inner = inner;
    this.warming = warming;
    this.#options = options;
  }

  pick(call: Call, excluded: readonly string[]): C | undefined {
    const first = this.inner.pick(call, excluded);
    if (this.warming.size === 0 || first === undefined) return first;
    const warming = this.warming.get(first.id);
    if (warming === undefined) return first;
    const share = this.#shareOf(warming);
    if (share >= 1) this.warming.delete(first.id);
    if (share >= 1 || this.#options.random.float() < share) return first;
    // Not its turn yet: the call goes to another, which may be a newcomer too; there it stays.
    const other = this.inner.pick(call, excluded.length === 0 ? warming.without : [...excluded, first.id]);
    return other === undefined || excluded.includes(other.id) ? first : other;
  }

  exclusionOf(candidate: C): Exclusion | undefined {
    const warming = this.warming.get(candidate.id);
    const share = warming === undefined ? 1 : this.#shareOf(warming);
    if (share >= 1) return this.inner.exclusionOf?.(candidate);
    return { reason: 'slow_start', detail: `takes ${Math.round(share * 100)} % of its share` };
  }

  #shareOf({ sinceMs }: Warming): number {
    const { clock, windowMs = 30_000, startShare = 0.1 } = this.#options;
    return startShare + ((1 - startShare) * (clock.nowMs() - sinceMs)) / windowMs;
  }
}

/**
 * Gives newcomers a small share that grows to their full one, so that cold caches and cold code are warmed up instead
 * of flooded. Works around any policy. Those that are there at the first update are not newcomers: all are alike.
 */
export function slowStart(policy: Policy, options: SlowStartOptions): Policy {
  checkOptions('slow start', options, {
    clock: present,
    random: present,
    windowMs: durationMs,
    startShare: someShare,
  });
  const { clock, windowMs = 30_000 } = options;
  return <C extends Candidate>(candidates: readonly C[], previous: Picker<C> | undefined): Picker<C> => {
    const before = previous instanceof SlowStartPicker ? (previous as SlowStartPicker<C>) : undefined;
    const inner = policy(candidates, before?.inner);
    const warming = new Map<string, Warming>();
    const nowMs = clock.nowMs();
    if (before !== undefined && before.candidates.length > 0) {
      const known = new Set(before.candidates.map(({ id }) => id));
      for (const { id } of candidates) {
        const old = before.warming.get(id);
        if (old !== undefined && nowMs - old.sinceMs < windowMs) warming.set(id, old);
        else if (!known.has(id)) warming.set(id, { sinceMs: nowMs, without: [id] });
      }
    }
    return new SlowStartPicker(inOrderOfId(candidates), inner, warming, options);
  };
}
