import type { Call, Layer } from '@heddle/kernel';
import type { MetricRegistry } from './registry.ts';

/** What a layer of `rpcMetrics` needs to know. */
export interface RpcMetricsOptions<Req> {
  /** Whose side of the calls is counted: `rpc_server_…` or `rpc_client_…`. */
  readonly side: 'server' | 'client';
  /** Names the call: few values of each. `service` is a full name such as `shop.order.v1.OrderService`. */
  readonly describe: (req: Req, call: Call) => { readonly service: string; readonly method: string };
}

/**
 * Counts calls of any protocol whose outcome is a `HeddleError` or success:
 * `rpc_<side>_calls_total{service,method,code}` (code `ok` or one of the sixteen), `rpc_<side>_duration_seconds
 * {service,method}`, `rpc_<side>_in_flight{service}`; each at the call's end. Make the layer once per registry and
 * side, and share it between methods.
 */
export function rpcMetrics<Req, Res>(
  registry: MetricRegistry,
  options: RpcMetricsOptions<Req>,
): Layer<Req, Res> {
  const { side, describe } = options;
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
  const running = registry.gauge({
    name: `rpc_${side}_in_flight`,
    help: `Calls being ${verb} now.`,
    labels: ['service'],
  });
  return (next) => (req, call) => {
    const startMs = call.runtime.clock.nowMs();
    const { service, method } = describe(req, call);
    const inFlight = running.series(service);
    inFlight.add(1);
    call.onEnd(({ error }) => {
      inFlight.add(-1);
      calls.series(service, method, error?.code ?? 'ok').inc();
      durations.series(service, method).observe((call.runtime.clock.nowMs() - startMs) / 1000);
    });
    return next(req, call);
  };
}
