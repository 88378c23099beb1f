import type { Classify, Layer, Replay, Result, Service } from '@heddle/kernel';
import type { TracedOptions } from '@heddle/telemetry';
import type {
  AdaptiveLimit,
  Backoff,
  Breaker,
  CacheOptions,
  ConcurrencyOptions,
  FailoverLayerOptions,
  HashKeySource,
  HedgeOptions,
  RateLimitOptions,
  RetryBudget,
} from '@heddle/traffic';
import type { DecisionLog, InstanceGroup } from '@heddle/upstream';

/** What a protocol says of its requests and answers. */
export interface ProtocolOptions<Req, Res> {
  readonly classify: Classify<Req, Res>;
  readonly replay: Replay<Req>;
  readonly pushbackMs?: (result: Result<Res>) => number | undefined;
  /** Names a call for people, with few values: `shop.order.v1.OrderService/Get`. */
  readonly operation: (req: Req) => string;
  /** Equal for requests that ask the same; undefined: not to be compared (it streams). */
  readonly identity: (req: Req) => string | undefined;
  /** What makes copies of an answer; undefined: there can be none (it streams). */
  readonly copies: (res: Res) => (() => Res) | undefined;
  /** What a result says that is a value, for decision records: `status 503`. Default: nothing. */
  readonly answer?: (res: Res) => string;
}

/** What a user may set of a client's stack, whatever it speaks. */
export interface LayerOptions<Req, Res> {
  /** Counts and times calls. Default: nothing. */
  readonly observe?: Layer<Req, Res>;
  /** The same for each attempt. Default: nothing. */
  readonly observeAttempt?: Layer<Req, Res>;
  /** How spans are named and who takes them; `false`: calls get none. Default: the runtime's `spans` does. */
  readonly trace?: false | Omit<TracedOptions<Req, Res>, 'kind'>;
  /** Where decision records go. Default: none are made. */
  readonly decisions?: DecisionLog;
  /** Answers where the service has failed. It gets the request as it was. Default: nobody. */
  readonly fallback?: Service<Req, Res>;
  /** Keeps answers of methods declared to have no side effects. Default: none. */
  readonly cache?: Omit<CacheOptions<Req, Res>, 'classify' | 'key' | 'keep'>;
  /** Sends equal reads that come at the same time as one. Default false. */
  readonly coalesce?: boolean;
  /** Default: no limit on this side. */
  readonly rateLimit?: RateLimitOptions<Req>;
  /** Calls to this target at a time. Default: no limit. */
  readonly bulkhead?: ConcurrencyOptions;
  /** A limit that finds its size by the latencies. Default: none. */
  readonly adaptive?: AdaptiveLimit;
  /** Where the policies that hash find a call's key. Default: nowhere, and they pick at random. */
  readonly hashBy?: readonly HashKeySource<Req>[];
  /** Attempts in all. Default 3; 1 switches retries off. */
  readonly attempts?: number;
  readonly backoff?: Backoff;
  /** How long one attempt may take until its response begins. Default: until the deadline. */
  readonly attemptTimeoutMs?: number;
  /** Asks another instance as well when the first is slow, for calls that may be repeated. Default: never. */
  readonly hedge?: Pick<HedgeOptions<Req, Res>, 'delayMs' | 'hedges'>;
}

/** What a client's stack is made from. Protocols differ in these; the order is the same for all. */
export interface ClientStackOptions<Req, Res> extends ProtocolOptions<Req, Res>, LayerOptions<Req, Res> {
  readonly group: InstanceGroup<Req, Res>;
  readonly budget: RetryBudget;
  /** Stops calling the service as a whole. Default: only instances have breakers. */
  readonly serviceBreaker?: Breaker;
  /** Default: there is no backup. */
  readonly failover?: Omit<FailoverLayerOptions<Req, Res>, 'classify'>;
}
