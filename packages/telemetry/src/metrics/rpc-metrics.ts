import type { Call, Layer } from '@heddle/kernel';
import type { MetricRegistry } from './registry.ts';
import { type RpcSide, rpcFamilies } from './rpc-families.ts';

/** What a layer of `rpcMetrics` needs to know. */
export interface RpcMetricsOptions<Req> {
  /** Whose side of the calls is counted: `rpc_server_…` or `rpc_client_…`. */
  readonly side: RpcSide;
  /** Names the call: few values of each. `service` is a full name such as `shop.order.v1.OrderService`. */
  readonly describe: (req: Req, call: Call) => { readonly service: string; readonly method: string };
}

/**
 * Counts calls of any protocol whose outcome is a `HeddleError` or success:
 * `rpc_<side>_calls_total{service,method,code}` (code `ok` or one of the sixteen),
 * `rpc_<side>_duration_seconds{service,method}`, `rpc_<side>_in_flight{service}`; each at the call's end.
 * Make the layer once per registry and side, and share it between methods.
 */
export function rpcMetrics<Req, Res>(
  registry: MetricRegistry,
  options: RpcMetricsOptions<Req>,
): Layer<Req, Res> {
  const { side, describe } = options;
  const families = rpcFamilies(registry, side);
  return (next) => (req, call) => {
    const startMs = call.runtime.clock.nowMs();
    const { service, method } = describe(req, call);
    const inFlight = families.inFlight.series(service);
    inFlight.add(1);
    call.onEnd(({ error }) => {
      inFlight.add(-1);
      families.count(service, method, error?.code ?? 'ok', (call.runtime.clock.nowMs() - startMs) / 1000);
    });
    return next(req, call);
  };
}
