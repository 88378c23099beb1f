import { type Classify, HeddleError, type Layer } from '@heddle/kernel';
import { judged } from '../judge/judged.ts';
import {
  checkOptions,
  durationMs,
  numberFrom,
  present,
  someShare,
  wholeFrom,
} from '../options/check-options.ts';
import {
  type AdaptiveRules,
  allowed,
  type AdaptiveState,
  defaultAdaptiveRules,
  initialLimit,
  step,
} from './adaptive-limit.ts';

/** What an adaptive limit may be told; the defaults are `defaultAdaptiveRules`. */
export type AdaptiveOptions = Partial<AdaptiveRules>;

const ruleOf = {
  algorithm: {
    expected: '"gradient" or "aimd"',
    holds: (value: unknown): boolean => value === 'gradient' || value === 'aimd',
  },
  initial: wholeFrom(1),
  min: wholeFrom(1),
  max: wholeFrom(1),
  tolerance: numberFrom(1),
  window: wholeFrom(10),
  smoothing: someShare,
  backoff: someShare,
  timeoutMs: durationMs,
};

/** A concurrency limit that finds its own size; shared by all stacks of one target or server. */
export class AdaptiveLimit {
  readonly #rules: AdaptiveRules;
  #state: AdaptiveState;
  #inFlight = 0;

  /** Throws `BAD_OPTIONS`. */
  constructor(options: AdaptiveOptions = {}) {
    checkOptions('adaptive limit', options, ruleOf);
    this.#rules = { ...defaultAdaptiveRules, ...options };
    this.#state = initialLimit(this.#rules);
  }

  /** For decision records and metrics. */
  get state(): AdaptiveState & { readonly inFlight: number } {
    return { ...this.#state, inFlight: this.#inFlight };
  }

  /** Takes a place, if there is one: gives how many are taken, this one included; else undefined. */
  take(): number | undefined {
    if (this.#inFlight >= allowed(this.#state, this.#rules)) return undefined;
    return ++this.#inFlight;
  }

  /** Gives it back. */
  release(): void {
    this.#inFlight--;
  }

  /** Learns from a call that had a place. */
  learn(tookMs: number, inFlight: number, dropped: boolean): void {
    this.#state = step(this.#state, { tookMs, inFlight, dropped }, this.#rules);
  }
}

/**
 * At most as many calls at a time as the latencies say the service can take: the limit falls when calls get slower
 * than usual, and grows while it is used up and they do not. A place is held until the call's end; the latency is
 * that of the answer's beginning. Beyond the limit `resource_exhausted` / `CONCURRENCY_LIMIT`, `sent: false`.
 */
export function adaptive<Req, Res>(
  limit: AdaptiveLimit,
  options: { readonly classify: Classify<Req, Res> },
): Layer<Req, Res> {
  checkOptions('adaptive', options, { classify: present });
  const { classify } = options;
  return (next) => (req, call) => {
    const inFlight = limit.take();
    if (inFlight === undefined) return Promise.reject(refused(limit));
    const { startMs } = call;
    let answeredMs: number | undefined;
    call.onEnd(() => limit.release());
    return judged(next, req, call, classify, {
      answered: () => {
        answeredMs = call.runtime.clock.nowMs();
      },
      ended: (meaning) => {
        if (meaning === 'ignored') return;
        limit.learn((answeredMs ?? call.endMs) - startMs, inFlight, meaning !== 'success');
      },
    });
  };
}

function refused({ state }: AdaptiveLimit): HeddleError {
  const message = `the limit that this service's latencies allow is ${Math.floor(state.limit)} calls at a time, and as many are in progress`;
  return new HeddleError({ code: 'resource_exhausted', reason: 'CONCURRENCY_LIMIT', message, sent: false });
}
