import { codes, type Layer } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { type HttpMetricsOptions, httpServerMetrics } from './http-metrics.ts';
import type { MetricRegistry } from './registry.ts';
import { rpcFamilies } from './rpc-families.ts';
import { type Exchange, watchExchange } from './watch-exchange.ts';

/**
 * Counts what a server answers, whichever it is asked: gRPC as `rpc_server_calls_total{service,method,code}`,
 * `rpc_server_duration_seconds{service,method}`, `rpc_server_in_flight{service}` (names and code as they are on the
 * wire), the rest as `httpServerMetrics` does. One per registry; the `observe` layer of the server's stack.
 */
export function serverMetrics(
  registry: MetricRegistry,
  options: HttpMetricsOptions,
): Layer<HttpRequest, HttpResponse> {
  const http = httpServerMetrics(registry, options);
  const families = rpcFamilies(registry, 'server');
  return (next) => {
    const plain = http(next);
    return (req, call) => {
      if (req.fields.get('content-type')?.startsWith('application/grpc') !== true) return plain(req, call);
      const [, service = '', method = ''] = req.path.split('/', 3);
      const inFlight = families.inFlight.series(service);
      inFlight.add(1);
      return watchExchange(call, next(req, call), (exchange) => {
        inFlight.add(-1);
        families.count(service, method, codeOf(exchange), exchange.seconds);
      });
    };
  };
}

/** The status is a trailer, or a header where there is no content (`Trailers-Only`). */
function codeOf({ answer, error }: Exchange): string {
  if (error !== undefined) return error.code;
  const number = answer?.fields.get('grpc-status') ?? answer?.body.trailers?.get('grpc-status') ?? '2';
  return number === '0' ? 'ok' : (codes[Number(number) - 1] ?? 'unknown');
}
