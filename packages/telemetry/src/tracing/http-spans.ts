import {
  attempt,
  type Call,
  correlationId,
  type HeddleError,
  type SpanAttributes,
  type SpanReport,
} from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { routeOf } from '../metrics/http-metrics.ts';
import { codeOf, isRpc } from '../metrics/server-metrics.ts';
import type { TracedOptions } from './traced.ts';

// What is the server's fault. That a caller asked for what is not there, or left, is none.
const serverFailures = new Set([
  'unknown',
  'deadline_exceeded',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
]);

// Asked again and again by who looks whether we live and how we are: traces of them would hide all others.
const probes = new Set([
  '/health',
  '/healthz',
  '/livez',
  '/readyz',
  '/metrics',
  '/grpc.health.v1.Health/Check',
  '/grpc.health.v1.Health/Watch',
]);

/**
 * How a server's spans are named and described, after OpenTelemetry's conventions: RPCs by their method, the rest by
 * method and route, never by raw path; with the status, and the correlation id, by which `heddle trace` finds them.
 */
export const serverSpans: TracedOptions<HttpRequest, HttpResponse> = {
  kind: 'server',
  withCall: true,
  skip: ({ path, fields }) => probes.has(path) && !fields.has('traceparent'),
  failed: (req, answer) =>
    isRpc(req) ? serverFailures.has(codeOf(req, { answer, error: undefined })) : answer.status >= 500,
  describe: (req, call, answer, error) =>
    isRpc(req) ? describeRpc(req, call, { answer, error }) : describeHttp(req, call, { answer, error }),
};

interface Ending {
  readonly answer: HttpResponse | undefined;
  readonly error: HeddleError | undefined;
}

function describeRpc(req: HttpRequest, call: Call, ending: Ending): SpanReport {
  const method = (req.path.split('?', 1)[0] ?? '').slice(1);
  const code = codeOf(req, ending);
  const attributes = { 'rpc.system': 'grpc', 'rpc.method': method, 'heddle.code': code, ...contextOf(call) };
  return { name: method, attributes, failed: serverFailures.has(code) };
}

function describeHttp(req: HttpRequest, call: Call, { answer, error }: Ending): SpanReport {
  const route = routeOf(call);
  const attributes = {
    'http.request.method': req.method,
    ...(route !== undefined && { 'http.route': route }),
    'url.path': (req.path.split('?', 1)[0] ?? '').slice(0, 256),
    ...(answer !== undefined && { 'http.response.status_code': answer.status }),
    ...contextOf(call),
  };
  const failed =
    answer === undefined ? error === undefined || serverFailures.has(error.code) : answer.status >= 500;
  return { name: route === undefined ? req.method : named(req.method, route), attributes, failed };
}

/** Some name a route together with its method. */
function named(method: string, route: string): string {
  return route.startsWith(`${method} `) ? route : `${method} ${route}`;
}

function contextOf(call: Call): SpanAttributes {
  const correlation = call.get(correlationId);
  const tries = call.get(attempt);
  return {
    ...(correlation !== undefined && { 'heddle.correlation_id': correlation }),
    ...(tries > 1 && { 'heddle.attempt': tries }),
  };
}
