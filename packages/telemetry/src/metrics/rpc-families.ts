import type { Counter } from './counter.ts';
import type { Family } from './family.ts';
import type { Gauge } from './gauge.ts';
import type { Histogram } from './histogram.ts';
import type { MetricRegistry } from './registry.ts';

/** Whose view of a call is counted. */
export type RpcSide = 'server' | 'client';

/** The series of one method, looked up once. */
export interface MethodSeries {
  readonly inFlight: Gauge;
  /** Counts one call: `code` is `ok` or one of the sixteen. */
  count(code: string, seconds: number): void;
}

/** The metrics of calls of any protocol, seen from one side. */
export interface RpcFamilies {
  /** `rpc_<side>_in_flight{service}`. */
  readonly inFlight: Family<Gauge>;
  /** Counts one call: `code` is `ok` or one of the sixteen. */
  count(service: string, method: string, code: string, seconds: number): void;
  /** For those who count many calls of a method: the same series each time. */
  of(service: string, method: string): MethodSeries;
}

/** Declares `rpc_<side>_calls_total`, `rpc_<side>_duration_seconds` and `rpc_<side>_in_flight`; once per registry and side. */
export function rpcFamilies(registry: MetricRegistry, side: RpcSide): RpcFamilies {
  const verb = side === 'server' ? 'answered' : 'made';
  const calls = registry.counter({
    name: `rpc_${side}_calls_total`,
    help: `Calls ${verb}, by how they ended.`,
    labels: ['service', 'method', 'code'],
  });
  const durations = registry.histogram({
    name: `rpc_${side}_duration_seconds`,
    help: `Time from a call's first byte to its end, for calls ${verb}.`,
    labels: ['service', 'method'],
  });
  const inFlight = registry.gauge({
    name: `rpc_${side}_in_flight`,
    help: `Calls being ${verb} now.`,
    labels: ['service'],
  });
  return {
    inFlight,
    count: (service, method, code, seconds) => {
      calls.series(service, method, code).inc();
      durations.series(service, method).observe(seconds);
    },
    of: (service, method) => {
      // Made when the first call has ended, so that a method which was never called has no series.
      let duration: Histogram | undefined;
      let succeeded: Counter | undefined;
      return {
        inFlight: inFlight.series(service),
        count: (code, seconds) => {
          duration ??= durations.series(service, method);
          duration.observe(seconds);
          if (code !== 'ok') calls.series(service, method, code).inc();
          else (succeeded ??= calls.series(service, method, code)).inc();
        },
      };
    },
  };
}
