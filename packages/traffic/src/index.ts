export {
  type Candidate,
  excluded,
  noneExcluded,
  type Picker,
  type Policy,
  picked,
} from './balance/picker.ts';
export { roundRobin } from './balance/round-robin.ts';
export { weightedRoundRobin } from './balance/weighted-round-robin.ts';
export { FaultSwitch, type Faults, fault } from './fault/fault.ts';
export { type ConcurrencyOptions, concurrency } from './limit/concurrency.ts';
export { type Backoff, backoffMs } from './retry/backoff.ts';
export { type BudgetOptions, RetryBudget } from './retry/budget.ts';
export { type Decision, decide, type GiveUp, mayRepeat, type Situation } from './retry/decision.ts';
export { type RetryOptions, retry } from './retry/retry.ts';
export { type TimeoutOptions, timeout } from './timeout/timeout.ts';
