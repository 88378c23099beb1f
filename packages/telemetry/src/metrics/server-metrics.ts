import { codes, type Layer } from '@heddle/kernel';
import { codeOfHttpStatus, type HttpRequest, type HttpResponse } from '@heddle/wire';
import { type HttpMetricsOptions, httpServerMetrics } from './http-metrics.ts';
import type { MetricRegistry } from './registry.ts';
import { type MethodSeries, type RpcFamilies, rpcFamilies } from './rpc-families.ts';
import { type Exchange, watchServed } from './watch-exchange.ts';

const mostKept = 1000;

/**
 * Counts what a server answers, whichever it is asked: gRPC, gRPC-Web and Connect as `rpc_server_calls_total{service,method,code}`,
 * `rpc_server_duration_seconds{service,method}`, `rpc_server_in_flight{service}` (names and code as they are on the
 * wire), the rest as `httpServerMetrics` does. One per registry; the `observe` layer of the server's stack.
 */
export function serverMetrics(
  registry: MetricRegistry,
  options: HttpMetricsOptions,
): Layer<HttpRequest, HttpResponse> {
  const http = httpServerMetrics(registry, options);
  const families = rpcFamilies(registry, 'server');
  const known = new Map<string, MethodSeries>();
  return (next) => {
    const plain = http(next);
    return (req, call) => {
      if (!isRpc(req)) return plain(req, call);
      const series = known.get(req.path) ?? learn(known, families, req);
      series.inFlight.add(1);
      return watchServed(
        call,
        () => next(req, call),
        (exchange) => {
          series.inFlight.add(-1);
          series.count(codeOf(req, exchange), exchange.seconds, call);
        },
      );
    };
  };
}

/** Paths that somebody outside may choose must not fill the memory; those beyond are looked up each time. */
function learn(known: Map<string, MethodSeries>, families: RpcFamilies, req: HttpRequest): MethodSeries {
  const [, service = '', method = ''] = pathOf(req).split('/', 3);
  const series = families.of(service, method);
  if (known.size < mostKept) known.set(req.path, series);
  return series;
}

/** Whether it is gRPC, gRPC-Web or Connect. Connect's unary calls look like any other HTTP, but for the version that its clients send. */
export function isRpc({ fields, path }: HttpRequest): boolean {
  const type = fields.get('content-type') ?? '';
  if (type.startsWith('application/grpc') || type.startsWith('application/connect+')) return true;
  return fields.has('connect-protocol-version') || /[?&]connect=v1(&|$)/.test(path);
}

function pathOf({ path }: HttpRequest): string {
  const question = path.indexOf('?');
  return question < 0 ? path : path.slice(0, question);
}

/**
 * In gRPC the status is a trailer, or a header where there is no content (`Trailers-Only`). The other protocols put it
 * into the content, after the last message, or into HTTP's status: whoever wrote it there has ended the call with it.
 */
export function codeOf(
  { fields }: HttpRequest,
  { answer, error }: Pick<Exchange, 'answer' | 'error'>,
): string {
  if (error !== undefined) return error.code;
  const isGrpc = /^application\/grpc(?!-web)/.test(fields.get('content-type') ?? '');
  if (answer !== undefined && !isGrpc) return answer.status === 200 ? 'ok' : codeOfHttpStatus(answer.status);
  const number = answer?.fields.get('grpc-status') ?? answer?.body.trailers?.get('grpc-status') ?? '2';
  return number === '0' ? 'ok' : (codes[Number(number) - 1] ?? 'unknown');
}
