import {
  type Call,
  type Classify,
  HeddleError,
  type Meaning,
  type Runtime,
  type Service,
} from '@heddle/kernel';
import {
  Breaker,
  type BreakerRules,
  type BreakerTransition,
  type Exclusion,
  type Judge,
  judged,
  OutlierDetector,
  type OutlierOptions,
  type WatchedInstance,
} from '@heddle/traffic';

/** How the instances of a target are judged by what becomes of the calls to them. */
export interface GuardOptions<Req, Res> {
  readonly classify: Classify<Req, Res>;
  /**
   * A breaker for each instance; `{}` has the rules of `defaultBreakerRules`. It refuses calls even where there is no
   * other instance, which ejection never does. Default: none.
   */
  readonly breaker?: Partial<BreakerRules>;
  /** Ejection of those that do worse than the others, as `OutlierDetector`; `false`: none. Default: on. */
  readonly outliers?: false | OutlierOptions;
  /** Hears of every change of a breaker. Must not throw. */
  readonly onBreaker?: (transition: BreakerTransition) => void;
}

/** The judgement of one instance, and the way to it past that. */
export interface Guard<Req, Res> {
  readonly service: Service<Req, Res>;
  readonly blocked: Exclusion | undefined;
  /** The instance was out of reach and is back: what is there now may be another process, so its breaker starts anew. */
  returned(): void;
  close(): void;
}

/** Makes the guards of one group, whose instances are compared with each other. */
export class Guards<Req, Res> {
  readonly #runtime: Runtime;
  readonly #options: GuardOptions<Req, Res>;
  readonly #changed: () => void;
  readonly #detector: OutlierDetector | undefined;

  /** `changed`: somebody is blocked or unblocked. */
  constructor(runtime: Runtime, options: GuardOptions<Req, Res>, changed: () => void) {
    const { outliers } = options;
    this.#runtime = runtime;
    this.#options = options;
    this.#changed = changed;
    this.#detector = outliers === false ? undefined : new OutlierDetector(runtime, outliers);
    this.#detector?.onChange(changed);
  }

  /** Throws `BAD_OPTIONS` for rules that make no sense. `name` is for people: the instance's id. */
  guard(name: string, service: Service<Req, Res>): Guard<Req, Res> {
    return new InstanceGuard(name, service, this.#options.classify, this.#detector, () =>
      this.#newBreaker(name),
    );
  }

  close(): void {
    this.#detector?.close();
  }

  #newBreaker(name: string): Breaker | undefined {
    const { breaker, onBreaker } = this.#options;
    if (breaker === undefined) return undefined;
    const made = new Breaker(this.#runtime, {
      ...breaker,
      name,
      ...(onBreaker !== undefined && { onTransition: onBreaker }),
    });
    made.onChange(this.#changed);
    return made;
  }
}

class InstanceGuard<Req, Res> implements Guard<Req, Res> {
  readonly service: Service<Req, Res>;
  readonly #id: string;
  readonly #detector: OutlierDetector | undefined;
  readonly #watched: WatchedInstance | undefined;
  readonly #newBreaker: () => Breaker | undefined;
  #breaker: Breaker | undefined;

  constructor(
    id: string,
    next: Service<Req, Res>,
    classify: Classify<Req, Res>,
    detector: OutlierDetector | undefined,
    newBreaker: () => Breaker | undefined,
  ) {
    this.#id = id;
    this.#detector = detector;
    this.#watched = detector?.instance(id);
    this.#newBreaker = newBreaker;
    this.#breaker = newBreaker();
    const unguarded = this.#breaker === undefined && this.#watched === undefined;
    this.service = unguarded ? next : (req, call) => this.#judge(next, req, call, classify);
  }

  get blocked(): Exclusion | undefined {
    return this.#breaker?.blocked ?? this.#watched?.blocked;
  }

  returned(): void {
    if (this.#breaker === undefined || this.#breaker.state.mode === 'closed') return;
    this.#breaker.close();
    this.#breaker = this.#newBreaker();
  }

  close(): void {
    this.#breaker?.close();
    this.#detector?.forget(this.#id);
  }

  /** The two layers `breaker` and `outlier` in one: what becomes of a call is found out once. */
  #judge(next: Service<Req, Res>, req: Req, call: Call, classify: Classify<Req, Res>): Promise<Res> {
    const breaker = this.#breaker;
    let term = 0;
    try {
      term = breaker?.admit() ?? 0;
    } catch (refused) {
      return Promise.reject(HeddleError.from(refused));
    }
    return judged(next, req, call, classify, new GuardedCall(call, breaker, term, this.#watched));
  }
}

/** Passes on what becomes of one call. */
class GuardedCall implements Judge {
  readonly #call: Call;
  readonly #breaker: Breaker | undefined;
  readonly #term: number;
  readonly #watched: WatchedInstance | undefined;
  readonly #startMs: number;
  #answeredMs: number | undefined;

  constructor(call: Call, breaker: Breaker | undefined, term: number, watched: WatchedInstance | undefined) {
    this.#call = call;
    this.#breaker = breaker;
    this.#term = term;
    this.#watched = watched;
    this.#startMs = call.startMs;
  }

  answered(): void {
    this.#answeredMs = this.#call.runtime.clock.nowMs();
    this.#breaker?.answered(this.#term);
  }

  ended(meaning: Meaning, answered: boolean): void {
    this.#breaker?.ended(this.#term, meaning, answered);
    const { endMs } = this.#call;
    this.#watched?.record(meaning, (this.#answeredMs ?? endMs) - this.#startMs, endMs);
  }
}
