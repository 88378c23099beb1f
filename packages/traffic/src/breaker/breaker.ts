import {
  type Classify,
  HeddleError,
  type Layer,
  type Meaning,
  type Runtime,
  type Timer,
} from '@heddle/kernel';
import type { Exclusion } from '../balance/exclusion.ts';
import type { CallCounts } from '../judge/call-counts.ts';
import { judged } from '../judge/judged.ts';
import { checkOptions, durationMs, nested, present, someShare, wholeFrom } from '../options/check-options.ts';
import {
  type BreakerInput,
  type BreakerMode,
  type BreakerRules,
  type BreakerState,
  closedBreaker,
  defaultBreakerRules,
  isNoNews,
  step,
} from './breaker-state.ts';

/** One change of a breaker's mode: an event for logs, metrics and decision records. */
export interface BreakerTransition {
  readonly name: string;
  readonly from: BreakerMode;
  readonly to: BreakerMode;
  /** For people. */
  readonly why: string;
  /** Monotonic. */
  readonly atMs: number;
}

/** What a breaker may be told; the defaults are `defaultBreakerRules`. */
export interface BreakerOptions extends Partial<BreakerRules> {
  /** What it protects: a service, or one instance of it. For messages and events. */
  readonly name: string;
  /** Hears of every change. Must not throw. */
  readonly onTransition?: (transition: BreakerTransition) => void;
}

/** A call has ended, while closed. `isNews`: it has changed how many have failed in a row. */
type CountedListener = (failed: boolean, isNews: boolean) => void;

const ruleOf = {
  name: present,
  onTransition: present,
  consecutiveFailures: wholeFrom(1),
  failureRate: nested,
  openMs: durationMs,
  probes: wholeFrom(1),
  successes: wholeFrom(1),
};
const rateRules = { share: someShare, minCalls: wholeFrom(1), windowMs: durationMs };

/**
 * The state that the layers of one target share: for a service one, for each instance one. It is kept by whoever holds
 * the target, since it must outlive updates. `blocked` is what its candidate shows the balancer.
 */
export class Breaker {
  readonly name: string;
  readonly #runtime: Pick<Runtime, 'clock' | 'timers'>;
  readonly #rules: BreakerRules;
  readonly #listeners = new Set<(transition: BreakerTransition) => void>();
  #counted: CountedListener | undefined;
  #state: BreakerState;
  #timer: Timer | undefined;

  /** Throws `BAD_OPTIONS`. */
  constructor(runtime: Pick<Runtime, 'clock' | 'timers'>, options: BreakerOptions) {
    checkOptions('breaker', options, ruleOf);
    if (options.failureRate !== undefined)
      checkOptions('breaker: failureRate', options.failureRate, rateRules);
    const { name, onTransition, ...rules } = options;
    this.name = name;
    this.#runtime = runtime;
    this.#rules = { ...defaultBreakerRules, ...rules };
    this.#state = closedBreaker(runtime.clock.nowMs());
    if (onTransition !== undefined) this.#listeners.add(onTransition);
  }

  /** For decision records: the newest knowledge, a value. */
  get state(): BreakerState {
    return this.#state;
  }

  /** For `Candidate.blocked`: undefined while calls pass or may try. */
  get blocked(): Exclusion | undefined {
    const { mode, probing } = this.#state;
    if (mode === 'closed') return undefined;
    if (mode === 'open') return { reason: 'breaker_open', detail: this.name };
    return probing < this.#rules.probes ? undefined : { reason: 'breaker_half_open', detail: this.name };
  }

  /** Hears of every change from now on: a balancer makes its picker anew. Must not throw. Returns what ends that. */
  onChange(listener: (transition: BreakerTransition) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Hears of every call that counts: for whoever tells other processes (`others`). Must not throw. One at most. */
  onCounted(listener: CountedListener): void {
    this.#counted = listener;
  }

  /** Calls of other processes to the same target: see `BreakerInput`. */
  others(counts: CallCounts): void {
    this.#step({ kind: 'others', counts });
  }

  /** Asks for a call. Gives the term to state its end with; throws `unavailable` / `BREAKER_OPEN`, `sent: false`. */
  admit(): number {
    if (this.#state.mode === 'closed') return this.#state.term;
    const last = this.#step({ kind: 'call' });
    if (last?.kind === 'refused') throw refused(this.name, last.afterMs);
    return this.#state.term;
  }

  /** The answer of an admitted call has begun. At most once, before `ended`. */
  answered(term: number): void {
    if (this.#state.mode === 'closed') return;
    this.#step({ kind: 'answered', term });
  }

  /** An admitted call has ended. Exactly once for each. */
  ended(term: number, meaning: Meaning, answered: boolean): void {
    const { mode, failures, term: current } = this.#state;
    if (isNoNews(this.#state, meaning, this.#rules)) return;
    this.#step({ kind: 'ended', term, meaning, answered });
    // That it has opened is told by itself.
    if (meaning === 'ignored' || mode !== 'closed' || term !== current || this.#state.mode !== 'closed')
      return;
    this.#counted?.(meaning !== 'success', this.#state.failures !== failures);
  }

  /** Another process that calls the same target has opened or closed its breaker. */
  told(to: 'open' | 'closed', why: string): void {
    this.#step({ kind: 'told', to, why });
  }

  /** Sets no more timers. For when its target goes away. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#listeners.clear();
  }

  #step(input: BreakerInput): ReturnType<typeof step>['effects'][number] | undefined {
    const nowMs = this.#runtime.clock.nowMs();
    const { state, effects } = step(this.#state, input, nowMs, this.#rules);
    this.#state = state;
    for (const effect of effects) {
      if (effect.kind !== 'changed') continue;
      this.#schedule();
      const { from, to, why } = effect;
      for (const listener of this.#listeners) listener({ name: this.name, from, to, why, atMs: nowMs });
    }
    return effects.at(-1);
  }

  /** A balancer sends nobody to an open one, so it cannot be a call that finds out that its time is up. */
  #schedule(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#state.mode !== 'open') return;
    this.#timer = this.#runtime.timers.after(this.#rules.openMs, () => this.#step({ kind: 'time' }));
  }
}

/**
 * Stops calling what keeps failing, and finds out by a few calls whether it is well again. What counts as failure is
 * for `classify` to say, at the call's end: an answer that breaks off is one too. Above `retry` it judges a service,
 * below `balance` one instance; a refusal was sent nowhere, so it may be retried elsewhere.
 */
export function breaker<Req, Res>(
  state: Breaker,
  options: { readonly classify: Classify<Req, Res> },
): Layer<Req, Res> {
  const { classify } = options;
  return (next) => (req, call) => {
    let term: number;
    try {
      term = state.admit();
    } catch (refusal) {
      return Promise.reject(HeddleError.from(refusal));
    }
    return judged(next, req, call, classify, {
      answered: () => state.answered(term),
      ended: (meaning, answered) => state.ended(term, meaning, answered),
    });
  };
}

function refused(name: string, afterMs: number): HeddleError {
  const when = afterMs > 0 ? `it may be tried again in ${Math.ceil(afterMs)} ms` : 'others are trying it now';
  const message = `${name} is not called because it kept failing; ${when}`;
  return new HeddleError({ code: 'unavailable', reason: 'BREAKER_OPEN', message, sent: false });
}
