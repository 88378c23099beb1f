import type { Runtime } from '@heddle/kernel';
import {
  byPriority,
  leastRequest,
  maglev,
  type OutlierOptions,
  type Policy,
  ringHash,
  slowStart,
  weightedRandom,
  weightedRoundRobin,
} from '@heddle/traffic';
import type { Balance, Cluster, OutlierLimits } from '../model/index.ts';

/** How a cluster's instances are chosen: failover groups outermost, then who is well, then the policy, with its warm-up. */
export function clusterPolicy({ balance, outlier }: Cluster, runtime: Runtime): Policy {
  const { random } = runtime;
  const { warmUp } = balance;
  const chooser = chooserOf(balance, runtime);
  const warmed =
    warmUp === undefined
      ? chooser
      : slowStart(chooser, {
          clock: runtime.clock,
          random,
          windowMs: warmUp.durationMs,
          startShare: Math.max(0.01, warmUp.minimumPercent / 100),
        });
  return byPriority(warmed, { random, panicShare: (outlier?.minHealthPercent ?? 0) / 100 });
}

function chooserOf({ policy }: Balance, { random }: Runtime): Policy {
  switch (policy) {
    case 'round_robin':
    case 'passthrough':
      return weightedRoundRobin;
    case 'least_request':
      return leastRequest(random);
    case 'random':
      return weightedRandom(random);
    case 'ring_hash':
      return ringHash({ random });
    case 'maglev':
      return maglev({ random });
  }
}

/** When an instance is ejected, as the rules say; what they do not say ejects nobody. */
export function ejectionOf(limits: OutlierLimits | undefined): false | OutlierOptions {
  const failures = limits?.consecutive5xx ?? limits?.consecutiveGatewayErrors;
  if (limits === undefined || failures === undefined) return false;
  return {
    consecutiveFailures: failures,
    intervalMs: limits.intervalMs,
    ejectMs: limits.baseEjectionMs,
    maxEjectMs: Math.max(limits.baseEjectionMs, 300_000),
    maxEjectedShare: limits.maxEjectionPercent / 100,
    successRate: undefined,
    latency: undefined,
  };
}
