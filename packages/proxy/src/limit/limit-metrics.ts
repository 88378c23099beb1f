import type { HeddleError } from '@heddle/kernel';
import type { MetricRegistry } from '@heddle/telemetry';
import type { RateVerdict } from '@heddle/traffic';

/** Counts what limits do. */
export interface LimitMetrics {
  /** One request was judged. `failed`: the store could not be asked, and `mode` held. */
  judged(route: string, verdict: RateVerdict, mode: string, failed: HeddleError | undefined): void;
}

/** `gateway_rate_limit_decisions_total` and `gateway_rate_limit_store_failures_total`. Once for a registry. */
export function limitMetrics(metrics: MetricRegistry): LimitMetrics {
  const decisions = metrics.counter({
    name: 'gateway_rate_limit_decisions_total',
    help: 'Requests that met a rate limit, by what became of them.',
    labels: ['route', 'decision'],
  });
  const failures = metrics.counter({
    name: 'gateway_rate_limit_store_failures_total',
    help: 'Decisions that the shared store did not make, by what held instead (open, closed, local).',
    labels: ['mode', 'reason'],
  });
  return {
    judged: (route, { admitted }, mode, failed) => {
      decisions.series(route, admitted ? 'admitted' : 'refused').inc();
      if (failed !== undefined) failures.series(mode, failed.reason).inc();
    },
  };
}
