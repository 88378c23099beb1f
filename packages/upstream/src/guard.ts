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
import { type CountedInstance, CountedNews, newsMs } from './counted-news.ts';

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
  /** What processes that serve together tell each other. Default: each judges alone. */
  readonly shared?: SharedVerdicts;
}

/** What one process has found out about instances of a target. */
export type Verdict =
  | { readonly kind: 'breaker'; readonly id: string; readonly to: 'open' | 'closed'; readonly why: string }
  /** What has become of calls since it was last told: breakers and ejection go by the calls of all together. */
  | { readonly kind: 'counted'; readonly instances: readonly CountedInstance[] }
  /** For so long from when it is told. */
  | { readonly kind: 'ejected'; readonly id: string; readonly forMs: number; readonly why: string };

/** The way to the other processes that call the same target. */
export interface SharedVerdicts {
  /** To all others. Must not throw. */
  tell(verdict: Verdict): void;
  /** Hears what the others tell. Returns what ends that. */
  onVerdict(listener: (verdict: Verdict) => void): () => void;
}

/** The judgement of one instance, and the way to it past that. */
export interface Guard<Req, Res> {
  readonly service: Service<Req, Res>;
  readonly blocked: Exclusion | undefined;
  /** The instance was out of reach and is back: what is there now may be another process, so its breaker starts anew. */
  returned(): void;
  /** Another process has opened or closed its breaker. */
  told(to: 'open' | 'closed', why: string): void;
  /** What has become of calls of another process. */
  others(counted: CountedInstance): void;
  close(): void;
}

/** Makes the guards of one group, whose instances are compared with each other. */
export class Guards<Req, Res> {
  readonly #runtime: Runtime;
  readonly #options: GuardOptions<Req, Res>;
  readonly #changed: () => void;
  readonly #detector: OutlierDetector | undefined;
  readonly #known = new Map<string, Guard<Req, Res>>();
  readonly #stopListening: (() => void) | undefined;
  readonly #news: CountedNews | undefined;
  /** What others have told is not told again. */
  #hearing = false;

  /** `changed`: somebody is blocked or unblocked. */
  constructor(runtime: Runtime, options: GuardOptions<Req, Res>, changed: () => void) {
    const { outliers } = options;
    this.#runtime = runtime;
    this.#options = options;
    this.#changed = changed;
    this.#detector = outliers === false ? undefined : new OutlierDetector(runtime, outliers);
    this.#detector?.onChange(changed);
    const { shared } = options;
    this.#news =
      shared && new CountedNews(runtime, (instances) => shared.tell({ kind: 'counted', instances }));
    this.#tellCalls(this.#detector);
    this.#detector?.onChange((effect) => {
      if (this.#hearing || effect.kind !== 'ejected') return;
      const { id, untilMs, why } = effect;
      shared?.tell({ kind: 'ejected', id, forMs: untilMs - runtime.clock.nowMs(), why });
    });
    this.#stopListening = shared?.onVerdict((verdict) => this.#told(verdict));
  }

  /** Throws `BAD_OPTIONS` for rules that make no sense. `name` is for people: the instance's id. */
  guard(name: string, service: Service<Req, Res>): Guard<Req, Res> {
    const { classify } = this.#options;
    const made: Guard<Req, Res> = new InstanceGuard(name, service, classify, this.#detector, {
      newBreaker: () => this.#newBreaker(name),
      closed: () => {
        if (this.#known.get(name) !== made) return;
        this.#known.delete(name);
        this.#news?.forget(name);
      },
    });
    this.#known.set(name, made);
    return made;
  }

  close(): void {
    this.#stopListening?.();
    this.#news?.close();
    this.#detector?.close();
  }

  #told(verdict: Verdict): void {
    if (verdict.kind === 'counted') {
      // Where this opens a breaker or ejects, that is news.
      for (const counted of verdict.instances) this.#known.get(counted.id)?.others(counted);
      return;
    }
    this.#hearing = true;
    try {
      if (verdict.kind === 'ejected') this.#detector?.told(verdict.id, verdict.forMs, verdict.why);
      else this.#known.get(verdict.id)?.told(verdict.to, verdict.why);
    } finally {
      this.#hearing = false;
    }
  }

  #tellCalls(detector: OutlierDetector | undefined): void {
    const news = this.#news;
    if (news === undefined) return;
    detector?.onCounted((id, failed, tookMs, isNews) => {
      const everyMs = isNews ? undefined : detector.comparedEveryMs;
      // A tenth of the time in which they are compared may be missing at its end.
      news.ejection(id, failed, tookMs, isNews ? newsMs : everyMs && everyMs / 10);
    });
  }

  #newBreaker(name: string): Breaker | undefined {
    const { breaker, onBreaker, shared } = this.#options;
    if (breaker === undefined) return undefined;
    const made = new Breaker(this.#runtime, {
      ...breaker,
      name,
      ...(onBreaker !== undefined && { onTransition: onBreaker }),
    });
    made.onChange(this.#changed);
    const news = this.#news;
    if (news !== undefined) {
      const { failureRate } = breaker;
      // Calls that go well are told too where their share matters: the failures of others weigh less then.
      const slice = failureRate && Math.min(mostNewsMs, Math.max(newsMs, failureRate.windowMs / 100));
      made.onCounted((failed, isNews) => news.breaker(name, failed, isNews ? newsMs : slice));
    }
    made.onChange(({ to, why }) => {
      if (!this.#hearing && to !== 'half_open') shared?.tell({ kind: 'breaker', id: name, to, why });
    });
    return made;
  }
}

/** So old is what is known of the calls of others, at most. */
const mostNewsMs = 100;

/** What a guard needs of those it belongs to. */
interface GuardOwner {
  newBreaker(): Breaker | undefined;
  closed(): void;
}

class InstanceGuard<Req, Res> implements Guard<Req, Res> {
  readonly service: Service<Req, Res>;
  readonly #id: string;
  readonly #detector: OutlierDetector | undefined;
  readonly #watched: WatchedInstance | undefined;
  readonly #owner: GuardOwner;
  #breaker: Breaker | undefined;

  constructor(
    id: string,
    next: Service<Req, Res>,
    classify: Classify<Req, Res>,
    detector: OutlierDetector | undefined,
    owner: GuardOwner,
  ) {
    this.#id = id;
    this.#detector = detector;
    this.#watched = detector?.instance(id);
    this.#owner = owner;
    this.#breaker = owner.newBreaker();
    const unguarded = this.#breaker === undefined && this.#watched === undefined;
    this.service = unguarded ? next : (req, call) => this.#judge(next, req, call, classify);
  }

  get blocked(): Exclusion | undefined {
    return this.#breaker?.blocked ?? this.#watched?.blocked;
  }

  returned(): void {
    if (this.#breaker === undefined || this.#breaker.state.mode === 'closed') return;
    this.#breaker.close();
    this.#breaker = this.#owner.newBreaker();
  }

  told(to: 'open' | 'closed', why: string): void {
    this.#breaker?.told(to, why);
  }

  others({ id, breaker, ejection }: CountedInstance): void {
    if (breaker !== undefined) this.#breaker?.others(breaker);
    if (ejection !== undefined) this.#detector?.others(id, ejection);
  }

  close(): void {
    this.#owner.closed();
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
