import type { Clock } from '@heddle/kernel';
import { checkOptions, wholeFrom } from '../options/check-options.ts';
import type { RateDecision, RateRule } from './rate-rule.ts';
import { forgettableAtMs, type RateState, released, step } from './rate-state.ts';

/** A call that asks under one key. */
export interface RateAsk {
  /** Whom and what the limit is for: `tenant:t1 route:/orders`. Keys of different limits must differ. */
  readonly key: string;
  readonly rule: RateRule;
  /** What the call takes of the limit, a whole number from 1. */
  readonly cost: number;
  /**
   * What asks of one call have in common, such as the route: a store of several servers keeps a group together, so that
   * it can decide about all of it at once. Default: all there are.
   */
  readonly group?: string;
}

/** What became of a call that asked under several keys at once. */
export interface RateVerdict {
  /** True if all did admit it. If not, none has taken anything. */
  readonly admitted: boolean;
  /** In the order of the asks. */
  readonly decisions: readonly RateDecision[];
}

/**
 * Where the states are kept: in this process, or in a server that several share. `take` is one atomic decision over
 * all asks; with a server, by the server's time. It rejects when the store cannot be reached.
 */
export interface RateStore {
  take(asks: readonly RateAsk[]): RateVerdict | Promise<RateVerdict>;
  /** Gives back what an admitted call holds under `concurrency` rules. Does nothing for other rules. */
  release(asks: readonly RateAsk[]): void | Promise<void>;
}

/** What a `MemoryRateStore` may be told. */
export interface MemoryRateStoreOptions {
  /**
   * Keys remembered at a time. Beyond it, further keys share one state for each rule: somebody who makes up keys gets
   * no more than one key's limit for all of them, and takes no memory. Default 100000.
   */
  readonly maxKeys?: number;
}

interface Entry {
  state: RateState;
  rule: RateRule;
}

/** Entries looked at for being forgettable, for each that is asked for. */
const sweptEach = 2;

/** Rate limits within one process. A key's state goes by itself when it says nothing any more. */
export class MemoryRateStore implements RateStore {
  readonly #clock: Clock;
  readonly #maxKeys: number;
  readonly #entries = new Map<string, Entry>();
  #sweep: Iterator<[string, Entry]> | undefined;

  /** Throws `BAD_OPTIONS`. */
  constructor(clock: Clock, options: MemoryRateStoreOptions = {}) {
    checkOptions('rate store', options, { maxKeys: wholeFrom(1) });
    this.#clock = clock;
    this.#maxKeys = options.maxKeys ?? 100_000;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  take(asks: readonly RateAsk[]): RateVerdict {
    const nowMs = this.#clock.nowMs();
    this.#forget(nowMs, asks.length * sweptEach);
    const [only] = asks;
    if (asks.length === 1 && only !== undefined) return this.#takeOne(only, nowMs);
    const states = new Map<string, Entry>();
    let admitted = true;
    const decisions = asks.map(({ key, rule, cost }) => {
      const place = this.#placeOf(key, rule);
      const before = states.get(place) ?? this.#entries.get(place);
      const { state, decision } = step(before?.state, cost, nowMs, rule);
      admitted &&= decision.admitted;
      if (state !== undefined) states.set(place, { state, rule });
      return decision;
    });
    if (admitted) for (const [place, entry] of states) this.#entries.set(place, entry);
    return { admitted, decisions };
  }

  #takeOne({ key, rule, cost }: RateAsk, nowMs: number): RateVerdict {
    const place = this.#placeOf(key, rule);
    const entry = this.#entries.get(place);
    const { state, decision } = step(entry?.state, cost, nowMs, rule);
    if (decision.admitted && state !== undefined) {
      if (entry === undefined) this.#entries.set(place, { state, rule });
      else {
        entry.state = state;
        entry.rule = rule;
      }
    }
    return { admitted: decision.admitted, decisions: [decision] };
  }

  release(asks: readonly RateAsk[]): void {
    for (const { key, rule, cost } of asks) {
      const place = this.#heldAt(key, rule);
      const entry = this.#entries.get(place);
      if (entry === undefined) continue;
      const state = released(entry.state, cost);
      if (state === undefined) this.#entries.delete(place);
      else entry.state = state;
    }
  }

  #placeOf(key: string, rule: RateRule): string {
    const place = `${rule.algorithm} ${key}`;
    if (this.#entries.size < this.#maxKeys || this.#entries.has(place)) return place;
    return sharedPlace(rule);
  }

  /** A call of the shared state may end when there is room again: it gives back where it has taken. */
  #heldAt(key: string, rule: RateRule): string {
    const place = `${rule.algorithm} ${key}`;
    return this.#entries.has(place) ? place : sharedPlace(rule);
  }

  #forget(nowMs: number, count: number): void {
    for (let left = count; left > 0; left--) {
      this.#sweep ??= this.#entries.entries();
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = undefined;
        return;
      }
      const [key, { state, rule }] = next.value;
      if (forgettableAtMs(state, rule) <= nowMs) this.#entries.delete(key);
    }
  }
}

function sharedPlace(rule: RateRule): string {
  return `${rule.algorithm} (others) ${JSON.stringify(rule)}`;
}
