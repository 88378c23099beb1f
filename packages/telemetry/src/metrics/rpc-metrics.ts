import type { Call, Layer } from '@heddle/kernel';
import type { MetricRegistry } from './registry.ts';
import { type MethodSeries, type RpcFamilies, rpcFamilies, type RpcSide } from './rpc-families.ts';

/** Names that somebody outside may choose must not fill the memory; those beyond are looked up each time. */
const mostKept = 200;

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
  const known = new Map<string, Map<string, MethodSeries>>();
  return (next) => (req, call) => {
    const { startMs } = call;
    const { service, method } = describe(req, call);
    const series = known.get(service)?.get(method) ?? learn(known, families, service, method);
    series.inFlight.add(1);
    call.onEnd(({ error }) => {
      series.inFlight.add(-1);
      series.count(error?.code ?? 'ok', (call.endMs - startMs) / 1000, call);
    });
    return next(req, call);
  };
}

/** Looks up the series of a method; they are kept for as many as there are series for. */
function learn(
  known: Map<string, Map<string, MethodSeries>>,
  families: RpcFamilies,
  service: string,
  method: string,
): MethodSeries {
  const series = families.of(service, method);
  let methods = known.get(service);
  if (methods === undefined && known.size < mostKept) known.set(service, (methods = new Map()));
  if (methods !== undefined && methods.size < mostKept) methods.set(method, series);
  return series;
}
