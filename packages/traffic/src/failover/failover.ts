import {
  type Call,
  type Classify,
  type Clock,
  type Layer,
  type Meaning,
  type Service,
  settle,
} from '@heddle/kernel';
import { judged } from '../judge/judged.ts';
import { checkOptions, durationMs, present, someShare, wholeFrom } from '../options/check-options.ts';
import {
  defaultFailoverRules,
  type FailoverEffect,
  type FailoverInput,
  type FailoverRules,
  type FailoverState,
  onPrimary,
  step,
} from './failover-state.ts';

/** What a failover may be told; the defaults are `defaultFailoverRules`. */
export interface FailoverOptions extends Partial<FailoverRules> {
  /** Hears of every change. Must not throw. */
  readonly onTransition?: (change: Extract<FailoverEffect, { kind: 'changed' }>) => void;
}

const ruleOf = {
  onTransition: present,
  failures: wholeFrom(1),
  awayMs: durationMs,
  probes: wholeFrom(1),
  stepMs: durationMs,
  relapseShare: someShare,
  steps: {
    expected: 'shares above 0 that grow up to 1',
    holds: (value: unknown): boolean =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.at(-1) === 1 &&
      value.every((each, index) => each > 0 && (index === 0 || each > value[index - 1])),
  },
};

/** Where the traffic of one pair of services goes. Shared by all stacks that call them. */
export class Failover {
  readonly #clock: Clock;
  readonly #rules: FailoverRules;
  readonly #onTransition: FailoverOptions['onTransition'];
  #state: FailoverState;

  /** Throws `BAD_OPTIONS`. */
  constructor(clock: Clock, options: FailoverOptions = {}) {
    checkOptions('failover', options, ruleOf);
    const { onTransition, ...rules } = options;
    this.#clock = clock;
    this.#rules = { ...defaultFailoverRules, ...rules };
    this.#onTransition = onTransition;
    this.#state = onPrimary(clock.nowMs());
  }

  /** For decision records: a value. */
  get state(): FailoverState {
    return this.#state;
  }

  /** Where a call goes now. `term` is for `ended`. */
  route(call: Call): { readonly to: 'primary' | 'backup'; readonly term: number } {
    const chance = this.#state.mode === 'returning' ? call.runtime.random.float() : 0;
    const last = this.#step({ kind: 'call', chance });
    return { to: last?.kind === 'route' ? last.to : 'backup', term: this.#state.term };
  }

  /** A call to the primary has ended. */
  ended(term: number, meaning: Meaning): void {
    this.#step({ kind: 'ended', term, meaning });
  }

  /** Somebody who watches the primary says how it is: its breaker has opened, its health check fails. */
  health(healthy: boolean): void {
    this.#step({ kind: 'health', healthy });
  }

  #step(input: FailoverInput): FailoverEffect | undefined {
    const { state, effects } = step(this.#state, input, this.#clock.nowMs(), this.#rules);
    this.#state = state;
    for (const effect of effects) if (effect.kind === 'changed') this.#onTransition?.(effect);
    return effects.at(-1);
  }
}

/** What `failover` needs to know. */
export interface FailoverLayerOptions<Req, Res> {
  readonly state: Failover;
  readonly classify: Classify<Req, Res>;
  /** Where calls go while the primary is not well: another service, or another group of instances. */
  readonly backup: Service<Req, Res>;
}

/**
 * Sends calls to the service below, the primary, and to `backup` while that is not well; on recovery traffic returns
 * in steps, so that a cold primary is not flooded. A call that fails is not repeated here (`retry` above does that,
 * and may then reach the backup). A call that the primary's breaker refused goes to the backup at once.
 */
export function failover<Req, Res>(options: FailoverLayerOptions<Req, Res>): Layer<Req, Res> {
  const { state, classify, backup } = options;
  return (primary) => async (req, call) => {
    const { to, term } = state.route(call);
    if (to === 'backup') return backup(req, call);
    // A child: after a refusal the backup serves the same call, which has not ended.
    const child = call.child();
    const result = await settle<Req, Res>(
      (each, inner) =>
        judged(primary, each, inner, classify, { ended: (meaning) => state.ended(term, meaning) }),
      req,
      child,
    );
    if (result.ok) {
      call.endWith(child);
      return result.value;
    }
    if (!result.error.is('unavailable', 'BREAKER_OPEN')) throw result.error;
    state.health(false);
    return backup(req, call);
  };
}
