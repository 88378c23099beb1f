import { HeddleError, type Runtime, sleep, type Span, startTrace, type TraceContext } from '@heddle/kernel';
import {
  emptyBody,
  Fields,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  messagesOf,
  wholeBody,
  writeGrpcStatus,
} from '@heddle/wire';
import { gzip } from '@heddle/wire/compression';
import { decodeLogs } from '../otlp/decode-logs.ts';
import { decodeTraces } from '../otlp/decode-traces.ts';
import { encodeLogs, encodeTraces, type LogLine } from '../otlp/encode.ts';
import { checkToken, type OtlpSink } from '../otlp/otlp-service.ts';
import { decodeAccessLogs, type EnvoyEntry } from './decode-access-logs.ts';
import { fromEnvoy } from './envoy-source.ts';

const path = '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs';
const pauseMs = 200;

/** What `envoyAccessLogs` may be told. */
export interface EnvoyAccessLogsOptions {
  readonly runtime: Runtime;
  /** Gets spans and lines, as if they had come by OTLP. */
  readonly sink: OtlpSink;
  /** Envoys must show it as `authorization: Bearer …` (`initial_metadata` of their gRPC service). Undefined: anybody may send. */
  readonly token?: string | undefined;
  /** Largest message of the stream. Default 4 MiB. */
  readonly maxMessageBytes?: number;
}

/** Whether a request is one for `envoyAccessLogs`, by its path. */
export function isEnvoyAccessLogs(request: HttpRequest): boolean {
  return request.method === 'POST' && request.path === path;
}

/**
 * Envoy's access log service over gRPC (`envoy.service.accesslog.v3`): each HTTP request that an Envoy has served becomes a line of
 * its log, a span of the trace whose `traceparent` it logs (else of one of its own), and a span of the call to its upstream, by
 * which it stands in the topology. A trace that is not sampled gets the line only. TCP is passed over. While the sink is behind
 * nothing is read, so that Envoy buffers.
 */
export function envoyAccessLogs(options: EnvoyAccessLogsOptions): HttpService {
  const { maxMessageBytes: limitBytes = 4 * 1024 * 1024 } = options;
  return async (request) => {
    try {
      checkToken(request, options.token);
      const compression = request.fields.get('grpc-encoding') === 'gzip' ? gzip : undefined;
      let service = 'envoy';
      for await (const bytes of messagesOf(request.body, { limitBytes, compression })) {
        const message = decodeAccessLogs(bytes);
        service = message.service ?? service;
        if (message.entries.length > 0) await take(service, message.entries, options);
      }
      const fields = Fields.of({ 'content-type': 'application/grpc' });
      // An empty message.
      return {
        status: 200,
        fields,
        body: wholeBody(new Uint8Array(5), writeGrpcStatus(undefined, new Fields())),
      };
    } catch (thrown) {
      request.body.cancel();
      return failure(HeddleError.from(thrown));
    }
  };
}

function failure(error: HeddleError): HttpResponse {
  const fields = writeGrpcStatus(error, Fields.of({ 'content-type': 'application/grpc' }));
  return { status: 200, fields, body: emptyBody };
}

async function take(
  service: string,
  entries: readonly EnvoyEntry[],
  { runtime, sink }: EnvoyAccessLogsOptions,
): Promise<void> {
  const lines: LogLine[] = [];
  const spans: Span[] = [];
  for (const entry of entries) {
    const parent = parentOf(entry.traceparent);
    const trace = { ...plain(startTrace(runtime.random, true)), ...(parent && { traceId: parent.traceId }) };
    lines.push(lineOf(entry, parent?.sampled === false ? { ...trace, spanId: parent.spanId } : trace));
    if (parent?.sampled !== false) spans.push(...spansOf(entry, trace, parent, runtime));
  }
  const resource = { 'service.name': service };
  const logs = encodeLogs(resource, lines);
  await kept(runtime, () =>
    sink.logs(decodeLogs(logs), { signal: 'logs', encoding: 'protobuf', bytes: logs }),
  );
  if (spans.length === 0) return;
  const traces = encodeTraces(resource, spans);
  const raw = { signal: 'traces', encoding: 'protobuf', bytes: traces } as const;
  await kept(runtime, () => sink.spans(decodeTraces(traces), raw));
}

/** Waits while the sink is behind. */
async function kept(runtime: Runtime, give: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await give();
    } catch (thrown) {
      if (HeddleError.from(thrown).code !== 'unavailable') throw thrown;
      await sleep(runtime.timers, pauseMs);
    }
  }
}

function parentOf(traceparent: string): TraceContext | undefined {
  const [, traceId, spanId, flags] =
    /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

function plain({ traceId, spanId, sampled }: TraceContext): TraceContext {
  return { traceId, spanId, sampled };
}

function lineOf(entry: EnvoyEntry, { traceId, spanId }: TraceContext): LogLine {
  const { method, status, route, upstream, requestId, startUs, durationUs } = entry;
  return {
    timeMs: (startUs + durationUs) / 1000,
    level: status === 0 || status >= 500 ? 'warn' : 'info',
    message: 'request',
    attributes: {
      method,
      path: pathOf(entry),
      status,
      ms: durationUs / 1000,
      ...(route !== '' && { route }),
      ...(upstream !== '' && { upstream }),
      ...(requestId !== '' && { requestId }),
    },
    traceId,
    spanId,
  };
}

function spansOf(
  entry: EnvoyEntry,
  trace: TraceContext,
  parent: TraceContext | undefined,
  runtime: Runtime,
): readonly Span[] {
  const { method, status, route, upstream, requestId, startUs, durationUs } = entry;
  const attributes = {
    'http.request.method': method,
    'url.path': pathOf(entry),
    'server.address': entry.authority,
    ...(status > 0 && { 'http.response.status_code': status }),
    ...(route !== '' && { 'http.route': route }),
    ...(requestId !== '' && { 'heddle.correlation_id': requestId }),
    ...fromEnvoy,
  };
  const name = route === '' ? method : `${method} ${route}`;
  const shared = { name, error: undefined, failed: status === 0 || status >= 500 };
  const served: Span = {
    ...shared,
    kind: 'server',
    trace,
    parentSpanId: parent?.spanId,
    startWallMs: startUs / 1000,
    durationMs: durationUs / 1000,
    attributes,
  };
  if (upstream === '') return [served];
  const { upstreamFromUs, upstreamToUs } = entry;
  const called: Span = {
    ...shared,
    kind: 'client',
    trace: { ...trace, spanId: startTrace(runtime.random, true).spanId },
    parentSpanId: trace.spanId,
    startWallMs: (startUs + upstreamFromUs) / 1000,
    durationMs: Math.max(0, (upstreamToUs || durationUs) - upstreamFromUs) / 1000,
    attributes: { ...attributes, 'peer.service': serviceOf(upstream) },
  };
  return [served, called];
}

/** Without its query, which may hold secrets. */
function pathOf({ path: asked }: EnvoyEntry): string {
  return (asked.split('?', 1)[0] ?? '').slice(0, 256);
}

/** Istio's clusters are named `outbound|8080|v1|order.shop.svc.cluster.local`. */
function serviceOf(cluster: string): string {
  return cluster.split('|').at(-1) || cluster;
}
