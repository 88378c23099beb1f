// OpenTelemetry's three official exporters deliver to our intake, unchanged; and our exporter to it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { SimpleSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { Metadata } from '@grpc/grpc-js';
import { Call, type SpanSink, withSpan } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { encodeTraces, OtlpExporter, otlpService, type OtlpSink, type SpanData } from '@heddle/telemetry';
import { type HttpServer, serve } from '@heddle/wire';
import { isMissing, obtain, type Running } from '../../engines/engine.ts';
import { otelCollector } from '../../engines/otel-collector.ts';
import { type Contract, type ContractResult, resultOf } from '../result.ts';
import { otlpMetrics } from './otlp-metrics.ts';

const backend = 'otlp';
const token = 'a-token-of-the-contract';
const runtime = nodeRuntime({ name: backend, logLevel: 'error' });

/** Each exporter, what is refused, and the limits. */
export const otlpContract: Contract = {
  backend,
  run: async () => {
    const results: ContractResult[] = [];
    for (const [name, run] of Object.entries(cases)) {
      const intake = await Intake.open();
      results.push(
        await resultOf(backend, versionOf('@opentelemetry/exporter-trace-otlp-proto'), name, () =>
          run(intake),
        ),
      );
      await intake.server.stop();
    }
    results.push(await throughCollector());
    results.push(...(await otlpMetrics(versionOf('@opentelemetry/sdk-metrics'))));
    return results;
  },
};

/** Of the package beside us: its exports do not show its own description. */
function versionOf(name: string): string {
  const file = path.resolve(import.meta.dirname, '../../../node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** Our intake on a port of its own, and what it has got. */
class Intake {
  readonly spans: SpanData[] = [];
  readonly server: HttpServer;

  private constructor(server: HttpServer, spans: SpanData[]) {
    this.server = server;
    this.spans = spans;
  }

  static async open(): Promise<Intake> {
    const spans: SpanData[] = [];
    const sink: OtlpSink = {
      spans: async ({ items }) => void spans.push(...items),
      logs: async () => {},
      metrics: async () => {},
    };
    const service = otlpService({ sink, token, maxBytes: 1024 * 1024 });
    return new Intake(await serve(service, { runtime, address: { host: '127.0.0.1', port: 0 } }), spans);
  }

  get origin(): string {
    return `http://127.0.0.1:${this.server.address.port}`;
  }

  get url(): string {
    return `${this.origin}/v1/traces`;
  }

  post(body: Uint8Array | string, headers: Readonly<Record<string, string>>): Promise<Response> {
    const sent = typeof body === 'string' ? body : new Uint8Array(body);
    return fetch(this.url, {
      method: 'POST',
      body: sent,
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
  }
}

const headers = { authorization: `Bearer ${token}` };
const protobuf = { 'content-type': 'application/x-protobuf' };

function grpcMetadata(): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

const cases: Readonly<Record<string, (intake: Intake) => Promise<void>>> = {
  'exporter HTTP/protobuf': (intake) => delivered(intake, new ProtobufExporter({ url: intake.url, headers })),
  'exporter HTTP/protobuf, gzip': (intake) =>
    delivered(intake, new ProtobufExporter({ url: intake.url, headers, compression: 'gzip' as never })),
  'exporter HTTP/JSON': (intake) => delivered(intake, new JsonExporter({ url: intake.url, headers })),
  'exporter gRPC': (intake) =>
    delivered(intake, new GrpcExporter({ url: intake.origin, metadata: grpcMetadata() })),
  'exporter gRPC, gzip': (intake) =>
    delivered(
      intake,
      new GrpcExporter({ url: intake.origin, metadata: grpcMetadata(), compression: 'gzip' as never }),
    ),
  'no token, no spans': async (intake) => {
    const answer = await intake.post(new Uint8Array(), { ...protobuf, authorization: 'Bearer another' });
    assert.equal(answer.status, 401);
  },
  'partial success': async (intake) => {
    const span = { traceId: '0'.repeat(32), spanId: '1'.repeat(16), name: 'no trace id' };
    const request = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
    const answer = await intake.post(request, { 'content-type': 'application/json' });
    assert.equal(answer.status, 200);
    const { partialSuccess } = (await answer.json()) as {
      partialSuccess: { rejectedSpans: string; errorMessage: string };
    };
    assert.equal(partialSuccess.rejectedSpans, '1');
    assert.match(partialSuccess.errorMessage, /trace_id: expected 16 bytes/);
  },
  'what is no protobuf is a bad request': async (intake) => {
    assert.equal((await intake.post(new Uint8Array([10, 255, 255, 255, 255, 15]), protobuf)).status, 400);
    assert.equal((await intake.post('text', { 'content-type': 'text/plain' })).status, 415);
  },
  'limits before and after decompression': async (intake) => {
    const large = new Uint8Array(2 * 1024 * 1024);
    assert.equal((await intake.post(large, protobuf)).status, 429);
    assert.equal(
      (await intake.post(gzipSync(large), { ...protobuf, 'content-encoding': 'gzip' })).status,
      429,
    );
  },
  'our exporter': async (intake) => {
    const exporter = new OtlpExporter({
      runtime,
      address: intake.server.address,
      token,
      resource: { 'service.name': 'ours' },
      sampleRatio: 1,
    });
    await ownSpans(exporter, 3);
    await exporter.stop();
    assert.deepEqual(intake.spans.map(({ name }) => name).toSorted(), [
      'inner 0',
      'inner 1',
      'inner 2',
      'outer',
    ]);
    assert.deepEqual(exporter.counts, { sent: 4, dropped: 0, failedRequests: 0 });
  },
  'our exporter drops when nobody takes, and counts it': async (intake) => {
    await intake.server.stop();
    const exporter = new OtlpExporter({
      runtime,
      address: intake.server.address,
      token,
      resource: {},
      sampleRatio: 1,
      maxQueue: 2,
    });
    await ownSpans(exporter, 5);
    await exporter.stop();
    assert.deepEqual([exporter.counts.sent, exporter.counts.dropped], [0, 6]);
  },
  'the same spans in protobuf and in JSON': async (intake) => {
    const shared = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), sampled: true };
    const span = {
      name: 'one',
      kind: 'client',
      trace: shared,
      parentSpanId: undefined,
      startWallMs: 1.7e12,
      durationMs: 2.5,
      error: undefined,
      failed: false,
      attributes: { a: 1, b: 'c', d: true, e: 1.5 },
    } as const;
    await intake.post(encodeTraces({ 'service.name': 's' }, [span]), protobuf);
    const attributes = [
      { key: 'a', value: { intValue: '1' } },
      { key: 'b', value: { stringValue: 'c' } },
      { key: 'd', value: { boolValue: true } },
      { key: 'e', value: { doubleValue: 1.5 } },
    ];
    const json = {
      traceId: shared.traceId,
      spanId: shared.spanId,
      name: 'one',
      kind: 3,
      startTimeUnixNano: '1700000000000000000',
      endTimeUnixNano: '1700000000002500000',
      attributes,
    };
    const resource = { attributes: [{ key: 'service.name', value: { stringValue: 's' } }] };
    const request = {
      resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'heddle' }, spans: [json] }] }],
    };
    await intake.post(JSON.stringify(request), { 'content-type': 'application/json' });
    assert.equal(intake.spans.length, 2);
    assert.deepEqual(intake.spans[0], intake.spans[1]);
  },
};

async function ownSpans(sink: SpanSink, count: number): Promise<void> {
  const call = Call.root(runtime);
  await withSpan(call, { kind: 'internal', name: 'outer', sink }, async (outer) => {
    for (let at = 0; at < count; at++)
      await withSpan(outer, { kind: 'client', name: `inner ${at}`, sink }, () => Promise.resolve());
  });
  call.end();
}

const throughIt = 'our exporter, through an OpenTelemetry collector, to our intake';

/** The collector of OpenTelemetry's own makers takes our spans, and our intake takes what it passes on. */
async function throughCollector(): Promise<ContractResult> {
  const found = await obtain(otelCollector);
  if (isMissing(found))
    return { backend, version: '', case: throughIt, status: 'skipped', detail: found.missing };
  return resultOf(backend, `otel-collector ${found.version}`, throughIt, async () => {
    const intake = await Intake.open();
    let collector: Running | undefined;
    try {
      collector = await otelCollector.start({ to: intake.server.address, token });
      const exporter = new OtlpExporter({
        runtime,
        address: collector.address,
        token: 'the collector asks for none',
        resource: { 'service.name': 'ours', 'service.version': '1' },
        sampleRatio: 1,
      });
      await ownSpans(exporter, 3);
      await exporter.stop();
      assert.deepEqual(exporter.counts, { sent: 4, dropped: 0, failedRequests: 0 });
      const names = intake.spans.map(({ name }) => name).toSorted();
      assert.deepEqual(names, ['inner 0', 'inner 1', 'inner 2', 'outer']);
      const outer = intake.spans.find(({ name }) => name === 'outer');
      assert.equal(outer?.resource.service, 'ours');
      for (const { name, parentSpanId, traceId } of intake.spans) {
        assert.equal(traceId, outer?.traceId);
        if (name !== 'outer') assert.equal(parentSpanId, outer?.spanId);
      }
    } finally {
      await collector?.stop();
      await intake.server.stop();
    }
  });
}

/** A trace of two spans as a program with OpenTelemetry's SDK makes it. */
async function delivered(intake: Intake, exporter: SpanExporter): Promise<void> {
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'checkout', 'service.version': '1.2.3' }),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('contract', '1');
  const parent: Span = tracer.startSpan('POST /orders', {
    kind: SpanKind.SERVER,
    attributes: { 'http.route': '/orders', list: ['a', 'b'] },
  });
  const child = tracer.startSpan(
    'charge',
    { kind: SpanKind.CLIENT },
    trace.setSpan(context.active(), parent),
  );
  child.addEvent('retried', { attempt: 2 });
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'declined' });
  child.end();
  parent.end();
  await provider.forceFlush();
  await provider.shutdown();
  const [first, second] = intake.spans.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  assert.equal(intake.spans.length, 2);
  assert.deepEqual(
    [first?.name, first?.kind, first?.resource.service, first?.scope, first?.attributes],
    ['POST /orders', 2, 'checkout', 'contract', { 'http.route': '/orders', list: ['a', 'b'] }],
  );
  assert.deepEqual(
    [first?.traceId, first?.spanId],
    [parent.spanContext().traceId, parent.spanContext().spanId],
  );
  assert.deepEqual(
    [
      second?.name,
      second?.parentSpanId,
      second?.failed,
      second?.statusMessage,
      second?.events[0]?.attributes,
    ],
    ['charge', parent.spanContext().spanId, true, 'declined', { attempt: 2 }],
  );
  assert.ok(Math.abs((first?.startUs ?? 0) / 1000 - Date.now()) < 60_000);
}
