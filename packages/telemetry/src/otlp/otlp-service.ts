import { HeddleError } from '@heddle/kernel';
import {
  type Body,
  emptyBody,
  Fields,
  fewMessagesOf,
  frame,
  type HttpRequest,
  type HttpResponse,
  type HttpService,
  statusOfCode,
  wholeBody,
  writeGrpcStatus,
} from '@heddle/wire';
import { gzip } from '@heddle/wire/compression';
import { decodeLogsJson, decodeTracesJson } from './decode-json.ts';
import { decodeLogs } from './decode-logs.ts';
import { decodeMetrics } from './decode-metrics.ts';
import { decodeMetricsJson } from './decode-metrics-json.ts';
import { MetricStreams } from './metric-streams.ts';
import type { Refusal } from './metric-points.ts';
import { decodeTraces } from './decode-traces.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import type { LogData, MetricPoint, Received, SpanData } from './signal.ts';

/** The three signals. */
export type Signal = 'traces' | 'logs' | 'metrics';

/** A request's content as it came, for whoever writes it down before it is acknowledged. */
export interface RawRequest {
  readonly signal: Signal;
  readonly encoding: 'protobuf' | 'json';
  readonly bytes: Uint8Array;
}

/** Takes what is received. A promise that resolves means: it is kept. Rejects with what the sender is to be told. */
export interface OtlpSink {
  spans(received: Received<SpanData>, raw: RawRequest): Promise<void>;
  logs(received: Received<LogData>, raw: RawRequest): Promise<void>;
  metrics(received: Received<MetricPoint>, raw: RawRequest): Promise<void>;
}

/** What `otlpService` may be told. */
export interface OtlpServiceOptions {
  readonly sink: OtlpSink;
  /** Senders must show it as `authorization: Bearer …`. Undefined: anybody may send. */
  readonly token?: string | undefined;
  /** Largest request, before and after decompression. Default 8 MiB. */
  readonly maxBytes?: number;
  /** Where metrics that come as deltas are added up. Default: one for this service alone. */
  readonly streams?: MetricStreams;
  /** Told of points of metrics that were refused, by metric and reason. */
  readonly onRefused?: (refusal: Refusal) => void;
}

const paths: Readonly<Record<string, Signal>> = {
  '/v1/traces': 'traces',
  '/v1/logs': 'logs',
  '/v1/metrics': 'metrics',
  '/opentelemetry.proto.collector.trace.v1.TraceService/Export': 'traces',
  '/opentelemetry.proto.collector.logs.v1.LogsService/Export': 'logs',
  '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export': 'metrics',
};

/** Whether a request is one for `otlpService`, by its path. */
export function isOtlp({ path, method }: HttpRequest): boolean {
  return method === 'POST' && Object.hasOwn(paths, path);
}

/**
 * OpenTelemetry's protocol (OTLP 1.x) as a service: over HTTP in protobuf and in JSON, and over gRPC, on one port.
 * Answers when the sink has kept what came. What is rejected of it is told as a partial success, as the protocol asks.
 */
export function otlpService(options: OtlpServiceOptions): HttpService {
  const { maxBytes = 8 * 1024 * 1024 } = options;
  const intake = { streams: new MetricStreams(), ...options };
  return async (request) => {
    const isGrpc = request.fields.get('content-type')?.startsWith('application/grpc') === true;
    try {
      checkToken(request, options.token);
      const signal = Object.hasOwn(paths, request.path) ? paths[request.path] : undefined;
      if (signal === undefined || request.method !== 'POST') throw noSuchPath(request);
      const raw = isGrpc
        ? await readGrpc(request, signal, maxBytes)
        : await readHttp(request, signal, maxBytes);
      const outcome = await take(raw, intake);
      return isGrpc ? grpcAnswer(outcome) : httpAnswer(outcome, raw);
    } catch (thrown) {
      request.body.cancel();
      const error = HeddleError.from(thrown);
      return isGrpc ? grpcFailure(error) : httpFailure(error);
    }
  };
}

type Intake = Pick<OtlpServiceOptions, 'sink' | 'onRefused'> & { readonly streams: MetricStreams };
type Outcome = Pick<Received<unknown>, 'rejected' | 'why'> & { readonly signal: Signal };

/** Decodes, and gives to the sink. */
async function take(raw: RawRequest, { sink, streams, onRefused }: Intake): Promise<Outcome> {
  const { signal, encoding, bytes } = raw;
  const text = (): string => new TextDecoder().decode(bytes);
  if (signal === 'traces') {
    const received = encoding === 'json' ? decodeTracesJson(text()) : decodeTraces(bytes);
    await sink.spans(received, raw);
    return { signal, rejected: received.rejected, why: received.why };
  }
  if (signal === 'logs') {
    const received = encoding === 'json' ? decodeLogsJson(text()) : decodeLogs(bytes);
    await sink.logs(received, raw);
    return { signal, rejected: received.rejected, why: received.why };
  }
  const received = encoding === 'json' ? decodeMetricsJson(text(), streams) : decodeMetrics(bytes, streams);
  for (const refusal of received.refusals) onRefused?.(refusal);
  await sink.metrics(received, raw);
  return { signal, rejected: received.rejected, why: received.why };
}

async function readHttp(request: HttpRequest, signal: Signal, maxBytes: number): Promise<RawRequest> {
  const type = request.fields.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'application/x-protobuf' && type !== 'application/json') {
    const message = `content-type: expected application/x-protobuf or application/json, found ${type ?? 'none'}`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'UNSUPPORTED_MEDIA_TYPE', message });
  }
  const bytes = await decoded(request.body, request.fields.get('content-encoding'), maxBytes);
  return { signal, encoding: type === 'application/json' ? 'json' : 'protobuf', bytes };
}

async function decoded(body: Body, encoding: string | undefined, maxBytes: number): Promise<Uint8Array> {
  const bytes = await body.bytes(maxBytes);
  if (encoding === undefined || encoding === 'identity') return bytes;
  if (encoding === 'gzip') return gzip.decompress(bytes, maxBytes);
  throw unsupported(`content-encoding ${encoding}; gzip is understood`);
}

async function readGrpc(
  { body, fields }: HttpRequest,
  signal: Signal,
  maxBytes: number,
): Promise<RawRequest> {
  const encoding = fields.get('grpc-encoding') ?? 'identity';
  if (encoding !== 'identity' && encoding !== 'gzip') throw unsupported(`grpc-encoding ${encoding}`);
  const compression = encoding === 'gzip' ? gzip : undefined;
  const [bytes, more] = await fewMessagesOf(body, { limitBytes: maxBytes, compression }, 1);
  if (bytes !== undefined && more === undefined) return { signal, encoding: 'protobuf', bytes };
  const message = `expected one message, found ${bytes === undefined ? 'none' : 'several'}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'NOT_UNARY', message });
}

const jsonNames = { traces: 'rejectedSpans', logs: 'rejectedLogRecords', metrics: 'rejectedDataPoints' };

function httpAnswer({ signal, rejected, why }: Outcome, { encoding }: RawRequest): HttpResponse {
  if (encoding === 'protobuf') return answer(200, 'application/x-protobuf', partialSuccess(rejected, why));
  const partial =
    rejected === 0 ? {} : { partialSuccess: { [jsonNames[signal]]: String(rejected), errorMessage: why } };
  return answer(200, 'application/json', new TextEncoder().encode(JSON.stringify(partial)));
}

function grpcAnswer({ rejected, why }: Outcome): HttpResponse {
  const trailers = writeGrpcStatus(undefined, new Fields());
  const fields = Fields.of({ 'content-type': 'application/grpc' });
  return { status: 200, fields, body: wholeBody(frame(partialSuccess(rejected, why)), trailers) };
}

/** Empty when all was taken. */
function partialSuccess(rejected: number, why: string): Uint8Array {
  const writer = new ProtobufWriter();
  if (rejected > 0) {
    const start = writer.open(1);
    writer.uint(1, rejected);
    writer.text(2, why);
    writer.close(start);
  }
  return writer.finish();
}

/** A `google.rpc.Status`, in protobuf, as the protocol asks. Whoever is to wait is told for how long. */
function httpFailure(error: HeddleError): HttpResponse {
  const writer = new ProtobufWriter();
  writer.text(2, error.message);
  const status = error.reason === 'UNSUPPORTED_MEDIA_TYPE' ? 415 : statusOfCode(error.code);
  const response = answer(status, 'application/x-protobuf', writer.finish());
  if (status === 503 || status === 429) response.fields.append('retry-after', '1');
  return response;
}

function grpcFailure(error: HeddleError): HttpResponse {
  const fields = writeGrpcStatus(error, Fields.of({ 'content-type': 'application/grpc' }));
  return { status: 200, fields, body: emptyBody };
}

function answer(status: number, type: string, bytes: Uint8Array): HttpResponse {
  return { status, fields: Fields.of({ 'content-type': type }), body: wholeBody(bytes) };
}

/** Rejects with `unauthenticated` those who do not show the token, if there is one. */
export function checkToken({ fields }: HttpRequest, token: string | undefined): void {
  if (token === undefined) return;
  const given = fields.get('authorization') ?? '';
  if (sameText(given, `Bearer ${token}`)) return;
  const message = 'expected authorization: Bearer with the token of this intake';
  throw new HeddleError({ code: 'unauthenticated', reason: 'BAD_TOKEN', message, sent: false });
}

/** In a time that does not tell how much of it was right. */
function sameText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let at = 0; at < b.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return difference === 0;
}

function noSuchPath({ method, path }: HttpRequest): HeddleError {
  const message = `expected POST ${Object.keys(paths).join(', ')}, found ${method} ${path}`;
  return new HeddleError({ code: 'unimplemented', reason: 'NO_SUCH_PATH', message });
}

function unsupported(what: string): HeddleError {
  const message = `this intake does not take ${what}`;
  return new HeddleError({ code: 'unimplemented', reason: 'UNSUPPORTED', message });
}
