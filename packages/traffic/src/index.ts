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
export { type Exclusion, type ExclusionReason, type Standing, standings } from './balance/standing.ts';
export { weightedRoundRobin } from './balance/weighted-round-robin.ts';
export { FaultSwitch, type Faults, fault } from './fault/fault.ts';
export { type ConcurrencyOptions, concurrency } from './limit/concurrency.ts';
export { type Backoff, backoffMs } from './retry/backoff.ts';
export { type BudgetOptions, RetryBudget } from './retry/budget.ts';
export { type Decision, decide, type GiveUp, mayRepeat, type Situation } from './retry/decision.ts';
export { type RetryOptions, retry } from './retry/retry.ts';
export { type TimeoutOptions, timeout } from './timeout/timeout.ts';
