import type { Meaning, Runtime, Timer } from '@heddle/kernel';
import type { Exclusion } from '../balance/exclusion.ts';
import { type CallCounts, rowWith } from '../judge/call-counts.ts';
import {
  checkOptions,
  durationMs,
  nested,
  numberFrom,
  present,
  share,
  wholeFrom,
} from '../options/check-options.ts';
import {
  defaultOutlierRules,
  noOutliers,
  type OutlierEffect,
  type OutlierInput,
  type OutlierRules,
  type OutlierState,
  step,
  type Tally,
} from './outlier-state.ts';

/** What a detector may be told; the defaults are `defaultOutlierRules`. `successRate: undefined` switches it off. */
export interface OutlierOptions extends Partial<OutlierRules> {
  /** Hears of every ejection and return. Must not throw. */
  readonly onChange?: (effect: OutlierEffect) => void;
}

const ruleOf = {
  onChange: present,
  consecutiveFailures: wholeFrom(1),
  intervalMs: durationMs,
  ejectMs: durationMs,
  maxEjectMs: durationMs,
  maxEjectedShare: share,
  successRate: nested,
  latency: nested,
};
/** A call to an instance has ended. `isNews`: it has changed how many have failed in a row. */
type CountedListener = (id: string, failed: boolean, tookMs: number, isNews: boolean) => void;

const compared = { minInstances: wholeFrom(2), minCalls: wholeFrom(1) };

/**
 * Watches all instances of one target and ejects those that answer worse than the others. An instance shows its
 * `blocked` to the balancer; `onChange` is when a picker is made anew. Sets a timer only while somebody is ejected.
 */
export class OutlierDetector {
  readonly #runtime: Pick<Runtime, 'clock' | 'timers'>;
  readonly #rules: OutlierRules;
  readonly #listeners = new Set<(effect: OutlierEffect) => void>();
  readonly #watched = new Map<string, WatchedInstance>();
  #state: OutlierState = noOutliers;
  #intervalEndMs: number;
  #timer: Timer | undefined;
  #counted: CountedListener | undefined;

  /** Throws `BAD_OPTIONS`. */
  constructor(runtime: Pick<Runtime, 'clock' | 'timers'>, options: OutlierOptions = {}) {
    checkOptions('outlier ejection', options, ruleOf);
    const { onChange, ...rules } = options;
    const { successRate, latency } = rules;
    if (successRate !== undefined)
      checkOptions('outlier ejection: successRate', successRate, { ...compared, deviations: numberFrom(0) });
    if (latency !== undefined)
      checkOptions('outlier ejection: latency', latency, { ...compared, factor: numberFrom(1) });
    this.#runtime = runtime;
    this.#rules = { ...defaultOutlierRules, ...rules };
    this.#intervalEndMs = runtime.clock.nowMs() + this.#rules.intervalMs;
    if (onChange !== undefined) this.#listeners.add(onChange);
  }

  /** For decision records: a value. */
  get state(): OutlierState {
    return this.#state;
  }

  /** The watch on an instance, made on first use; the same one until `forget`. */
  instance(id: string): WatchedInstance {
    let watched = this.#watched.get(id);
    if (watched !== undefined) return watched;
    watched = new WatchedInstance(this, id);
    this.#watched.set(id, watched);
    return watched;
  }

  /** The instance has left the registry: it counts no more. */
  forget(id: string): void {
    if (this.#watched.delete(id)) this.#step({ kind: 'gone', id });
  }

  /** Another process that calls the same instances has ejected this one, for so long from now. */
  told(id: string, forMs: number, why: string): void {
    if (!this.#watched.has(id)) return;
    const untilMs = this.#runtime.clock.nowMs() + forMs;
    this.#step({ kind: 'told', id, untilMs, why, known: this.#watched.size });
  }

  /** Calls of other processes to the same instance count like one's own. */
  others(id: string, counts: CallCounts): void {
    this.#watched.get(id)?.others(counts, this.#runtime.clock.nowMs());
  }

  /** Hears of every call that counts: for whoever tells other processes (`others`). Must not throw. One at most. */
  onCounted(listener: CountedListener): void {
    this.#counted = listener;
  }

  /** How often instances are compared; undefined while there are too few of them. */
  get comparedEveryMs(): number | undefined {
    const { successRate, latency, intervalMs } = this.#rules;
    const fewest = Math.min(successRate?.minInstances ?? Infinity, latency?.minInstances ?? Infinity);
    return this.#watched.size < fewest ? undefined : intervalMs;
  }

  /** Hears of every ejection and return from now on. Must not throw. Returns what ends that. */
  onChange(listener: (effect: OutlierEffect) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sets no more timers. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#listeners.clear();
  }

  /** Called by `WatchedInstance` for each call of this process. */
  counted(id: string, failed: boolean, tookMs: number, isNews: boolean): void {
    this.#counted?.(id, failed, tookMs, isNews);
  }

  /** Called by `WatchedInstance` when it has counted. */
  recorded(id: string, failuresInARow: number, nowMs: number): void {
    const known = this.#watched.size;
    if (failuresInARow >= this.#rules.consecutiveFailures && !this.#state.ejected.has(id))
      this.#step({ kind: 'failing', id, failures: failuresInARow, known });
    if (nowMs < this.#intervalEndMs) return;
    this.#intervalEndMs = nowMs + this.#rules.intervalMs;
    const tallies = [...this.#watched.values()].map((watched) => watched.takeTally());
    this.#step({ kind: 'interval', tallies, known });
  }

  #step(input: OutlierInput): void {
    const { state, effects } = step(this.#state, input, this.#runtime.clock.nowMs(), this.#rules);
    this.#state = state;
    if (effects.length === 0) return;
    this.#schedule();
    for (const effect of effects) for (const listener of this.#listeners) listener(effect);
  }

  #schedule(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const next = Math.min(...[...this.#state.ejected.values()].map(({ untilMs }) => untilMs));
    if (next === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, next - this.#runtime.clock.nowMs());
    this.#timer = this.#runtime.timers.after(delayMs, () => this.#step({ kind: 'time' }));
  }
}

/** One instance as its detector sees it. */
export class WatchedInstance {
  readonly id: string;
  readonly #detector: OutlierDetector;
  #calls = 0;
  #failures = 0;
  #totalMs = 0;
  #failuresInARow = 0;

  constructor(detector: OutlierDetector, id: string) {
    this.#detector = detector;
    this.id = id;
  }

  /** For `Candidate.blocked`. */
  get blocked(): Exclusion | undefined {
    const ejection = this.#detector.state.ejected.get(this.id);
    return ejection === undefined ? undefined : { reason: 'ejected', detail: ejection.why };
  }

  /** A call to it has ended, at `nowMs`. `tookMs`: until its answer began, or it failed. */
  record(meaning: Meaning, tookMs: number, nowMs: number): void {
    if (meaning === 'ignored') return;
    const failed = meaning !== 'success';
    this.#calls++;
    this.#totalMs += tookMs;
    if (failed) this.#failures++;
    const before = this.#failuresInARow;
    this.#failuresInARow = failed ? before + 1 : 0;
    this.#detector.counted(this.id, failed, tookMs, this.#failuresInARow !== before);
    this.#detector.recorded(this.id, this.#failuresInARow, nowMs);
  }

  /** Calls of other processes to it have ended. */
  others(counts: CallCounts, nowMs: number): void {
    this.#calls += counts.calls;
    this.#totalMs += counts.totalMs;
    this.#failures += counts.failures;
    this.#failuresInARow = rowWith(this.#failuresInARow, counts);
    this.#detector.recorded(this.id, this.#failuresInARow, nowMs);
  }

  /** The interval's numbers, which then start anew. */
  takeTally(): Tally {
    const tally = { id: this.id, calls: this.#calls, failures: this.#failures, totalMs: this.#totalMs };
    this.#calls = 0;
    this.#failures = 0;
    this.#totalMs = 0;
    return tally;
  }
}
