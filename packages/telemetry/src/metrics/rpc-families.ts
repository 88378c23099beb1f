import type { Call } from '@heddle/kernel';
import type { Counter } from './counter.ts';
import { observeIn } from './exemplar.ts';
import type { Gauge } from './gauge.ts';
import type { Histogram } from './histogram.ts';
import type { MetricRegistry } from './registry.ts';

/** Whose view of a call is counted. */
export type RpcSide = 'server' | 'client';

/** The series of one method, looked up once. */
export interface MethodSeries {
  readonly inFlight: Gauge;
  /** Counts one call: `code` is `ok` or one of the sixteen. The trace of the call, if it is kept, becomes an exemplar. */
  count(code: string, seconds: number, call: Call): void;
}

/** The metrics of calls of any protocol, seen from one side. */
export interface RpcFamilies {
  /** The series of a method: to be looked up once, and kept. */
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
    of: (service, method) => {
      // Made when the first call has ended, so that a method which was never called has no series.
      let duration: Histogram | undefined;
      let succeeded: Counter | undefined;
      return {
        inFlight: inFlight.series(service),
        count: (code, seconds, call) => {
          duration ??= durations.series(service, method);
          observeIn(call, duration, seconds);
          if (code !== 'ok') calls.series(service, method, code).inc();
          else (succeeded ??= calls.series(service, method, code)).inc();
        },
      };
    },
  };
}
