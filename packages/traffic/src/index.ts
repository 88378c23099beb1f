export { type AvailableOptions, available } from './balance/available.ts';
export { fromCall, type HashKeySource, hashBy, hashKey } from './balance/hash-key.ts';
export { Load, LoadGroup, type LoadReport } from './balance/load.ts';
export {
  type Candidate,
  excluded,
  noneExcluded,
  type Picker,
  type Policy,
  picked,
} from './balance/picker.ts';
export { leastRequest, type LeastRequestOptions } from './balance/least-request.ts';
export { locality, type LocalityOptions } from './balance/locality.ts';
export { maglev } from './balance/maglev.ts';
export { orca, type OrcaOptions } from './balance/orca.ts';
export { p2cLatency, type P2cLatencyOptions } from './balance/p2c-latency.ts';
export { type ByPriorityOptions, byPriority } from './balance/by-priority.ts';
export { random, weightedRandom } from './balance/random.ts';
export { type HashOptions, ringHash } from './balance/ring-hash.ts';
export { slowStart, type SlowStartOptions } from './balance/slow-start.ts';
export { roundRobin } from './balance/round-robin.ts';
export { type Standing, standings } from './balance/standing.ts';
export type { Exclusion, ExclusionReason } from './balance/exclusion.ts';
export { weightedRoundRobin } from './balance/weighted-round-robin.ts';
export { FaultSwitch, type Faults, fault } from './fault/fault.ts';
export { type ConcurrencyOptions, concurrency } from './limit/concurrency.ts';
export { type Backoff, backoffMs } from './retry/backoff.ts';
export { type BudgetOptions, RetryBudget } from './retry/budget.ts';
export { type Decision, decide, type GiveUp, mayRepeat, type Situation } from './retry/decision.ts';
export { type RetryOptions, retry } from './retry/retry.ts';
export { type TimeoutOptions, timeout } from './timeout/timeout.ts';
export { type CallCounts, CallTally } from './judge/call-counts.ts';
export { breaker, Breaker, type BreakerOptions, type BreakerTransition } from './breaker/breaker.ts';
export {
  type BreakerMode,
  type BreakerRules,
  type BreakerState,
  defaultBreakerRules,
  type FailureRate,
} from './breaker/breaker-state.ts';
export { type CacheOptions, cache } from './cache/cache.ts';
export { type CoalesceOptions, coalesce } from './cache/coalesce.ts';
export { Failover, failover, type FailoverLayerOptions, type FailoverOptions } from './failover/failover.ts';
export {
  defaultFailoverRules,
  type FailoverMode,
  type FailoverRules,
  type FailoverState,
} from './failover/failover-state.ts';
export { type FallbackOptions, fallback } from './fallback/fallback.ts';
export { type HedgeOptions, hedge } from './hedge/hedge.ts';
export { type Judge, judged } from './judge/judged.ts';
export { AdaptiveLimit, type AdaptiveOptions, adaptive } from './limit/adaptive.ts';
export { type AdaptiveRules, type AdaptiveState, defaultAdaptiveRules } from './limit/adaptive-limit.ts';
export { outlier } from './outlier/outlier.ts';
export { OutlierDetector, type OutlierOptions, type WatchedInstance } from './outlier/outlier-detector.ts';
export {
  defaultOutlierRules,
  type Ejection,
  type LatencyRule,
  type OutlierEffect,
  type OutlierRules,
  type OutlierState,
  type SuccessRateRule,
} from './outlier/outlier-state.ts';
export { rateDecision, rateLimit, type RateLimitOptions, type StoreFailure } from './ratelimit/rate-limit.ts';
export {
  type ConcurrentCalls,
  type FixedWindow,
  type LeakyBucket,
  type RateDecision,
  type RateRule,
  rateRule,
  type SlidingWindow,
  type TokenBucket,
} from './ratelimit/rate-rule.ts';
export { type RateState, step as rateStep } from './ratelimit/rate-state.ts';
export {
  MemoryRateStore,
  type MemoryRateStoreOptions,
  type RateAsk,
  type RateStore,
  type RateVerdict,
} from './ratelimit/rate-store.ts';
export { byTier, type RateLimits, type TierOptions, usualTiers } from './ratelimit/tiers.ts';
export { type DelayMonitor, LoopDelay, type LoopDelayOptions } from './shed/loop-delay.ts';
export { shed, type ShedOptions } from './shed/shed.ts';
export { defaultShedRules, type ShedReason, type ShedRules } from './shed/shed-decision.ts';
