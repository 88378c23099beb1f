// Metrics of OpenTelemetry's own SDK come to our store as they were counted, whichever way it tells them: deltas,
// cumulative numbers, exponential histograms; to us directly, and through a collector.
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { JsonMetricsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { nodeRuntime } from '@heddle/kernel/node';
import { MetricStore, otlpService, type OtlpSink, parsePromQl, queryInstant } from '@heddle/telemetry';
import { type HttpServer, serve } from '@heddle/wire';
import { isMissing, obtain } from '../../engines/engine.ts';
import { otelCollector } from '../../engines/otel-collector.ts';
import { type ContractResult, resultOf } from '../result.ts';

const backend = 'otlp';
const token = 'a-token-of-the-contract';
const runtime = nodeRuntime({ name: backend, logLevel: 'error' });

/** How a request is written, and the answer that refuses nothing of it. */
interface Encoding {
  readonly serializer: { serializeRequest(metrics: ResourceMetrics): Uint8Array | undefined };
  readonly type: string;
  readonly nothing: string;
}

const { CUMULATIVE, DELTA } = AggregationTemporality;
const protobuf: Encoding = {
  serializer: ProtobufMetricsSerializer,
  type: 'application/x-protobuf',
  nothing: '',
};
const json: Encoding = { serializer: JsonMetricsSerializer, type: 'application/json', nothing: '{}' };
const direct = {
  'metrics of the SDK, cumulative': [CUMULATIVE, protobuf],
  'metrics of the SDK, as deltas': [DELTA, protobuf],
  'metrics of the SDK, cumulative, in JSON': [CUMULATIVE, json],
  'metrics of the SDK, as deltas, in JSON': [DELTA, json],
} as const;
const through = 'metrics of the SDK, as deltas, through an OpenTelemetry collector';

/** The SDK of `version`, directly and through a collector where there is one. */
export async function otlpMetrics(version: string): Promise<readonly ContractResult[]> {
  const results: ContractResult[] = [];
  for (const [name, [temporality, encoding]] of Object.entries(direct))
    results.push(
      await resultOf(backend, version, name, async () => {
        const intake = await Intake.open();
        try {
          const url = `http://127.0.0.1:${intake.server.address.port}/v1/metrics`;
          await told(intake, exporterTo(url, temporality, encoding));
        } finally {
          await intake.server.stop();
        }
      }),
    );
  return [...results, await throughCollector()];
}

async function throughCollector(): Promise<ContractResult> {
  const found = await obtain(otelCollector);
  if (isMissing(found))
    return { backend, version: '', case: through, status: 'skipped', detail: found.missing };
  return resultOf(backend, `otel-collector ${found.version}`, through, async () => {
    const intake = await Intake.open();
    const collector = await otelCollector.start({ to: intake.server.address, token });
    try {
      await told(
        intake,
        exporterTo(`http://127.0.0.1:${collector.address.port}/v1/metrics`, DELTA, protobuf),
      );
    } finally {
      await collector.stop();
      await intake.server.stop();
    }
  });
}

/** Our intake, and the store behind it. */
class Intake {
  readonly store: MetricStore = new MetricStore();
  readonly refused: unknown[] = [];
  server!: HttpServer;

  static async open(): Promise<Intake> {
    const intake = new Intake();
    const sink: OtlpSink = {
      spans: async () => {},
      logs: async () => {},
      metrics: async ({ items }) => intake.store.push(items),
    };
    const service = otlpService({ sink, token, onRefused: (refusal) => intake.refused.push(refusal) });
    intake.server = await serve(service, { runtime, address: { host: '127.0.0.1', port: 0 } });
    return intake;
  }

  /** What the store says now, by the labels that are not the same of all. */
  ask(query: string): Readonly<Record<string, number>> {
    const nowMs = Date.now() + 1000;
    const answer = queryInstant(this.store, parsePromQl(query), { startMs: nowMs, endMs: nowMs, stepMs: 0 });
    assert.equal(answer.type, 'vector');
    if (answer.type !== 'vector') return {};
    return Object.fromEntries(
      answer.elements.map(({ labels, value }) => {
        const { job, instance, __name__: _, ...own } = labels.toRecord();
        assert.deepEqual([job, instance], ['checkout', 'checkout-1']);
        return [Object.values(own).join(' '), value as number];
      }),
    );
  }
}

/** What the SDK has collected, as OpenTelemetry's own serializer writes it, in a request over HTTP. */
function exporterTo(
  url: string,
  temporality: AggregationTemporality,
  { serializer, type, nothing }: Encoding,
): PushMetricExporter {
  const send = async (body: Uint8Array<ArrayBuffer>): Promise<void> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': type };
    const answer = await fetch(url, { method: 'POST', body, headers });
    const said = await answer.text();
    if (answer.status !== 200 || said !== nothing)
      throw new Error(`the intake answered ${answer.status} ${said}`);
  };
  const tell = async (...[metrics, done]: Parameters<PushMetricExporter['export']>): Promise<void> => {
    const bytes = serializer.serializeRequest(metrics) ?? new Uint8Array();
    try {
      await send(new Uint8Array(bytes));
      done({ code: 0 });
    } catch (error) {
      done({ code: 1, error: error as Error });
    }
  };
  return {
    export: (metrics, done) => {
      void tell(metrics, done);
    },
    selectAggregationTemporality: () => temporality,
    forceFlush: async () => {},
    shutdown: async () => {},
  };
}

const waits = [0.5, 3, 3, 80, 700];
const sizes = [0.75, 1.1, 3, 3, 100];

/** A program counts, tells, and counts on: three times. */
async function told(intake: Intake, exporter: PushMetricExporter): Promise<void> {
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: 3_600_000,
  });
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': 'checkout', 'service.instance.id': 'checkout-1' }),
    readers: [reader],
    views: [{ instrumentName: 'size', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
  });
  const meter = provider.getMeter('contract');
  const orders = meter.createCounter('orders');
  const open = meter.createUpDownCounter('open.carts');
  const wait = meter.createHistogram('wait', {
    unit: 'ms',
    advice: { explicitBucketBoundaries: [1, 10, 100] },
  });
  const size = meter.createHistogram('size');
  meter.createObservableGauge('depth').addCallback((result) => result.observe(7));
  try {
    for (let turn = 1; turn <= 3; turn++) {
      orders.add(2, { state: 'paid' });
      orders.add(turn, { state: 'refused' });
      open.add(turn === 2 ? -4 : 5);
      for (const each of waits) wait.record(each);
      for (const each of sizes) size.record(each);
      await provider.forceFlush();
      // The store tells times apart by milliseconds.
      for (const at = Date.now(); Date.now() === at; ) await setImmediate();
    }
  } finally {
    await provider.shutdown();
  }
  assert.deepEqual(intake.refused, []);
  counted(intake);
}

/** To the last unit. The scale of the exponential histogram is the SDK's own choice; bounds at powers of two are on all grids. */
function counted(intake: Intake): void {
  assert.deepEqual(intake.ask('orders_total'), { paid: 6, refused: 6 });
  assert.deepEqual(intake.ask('open_carts'), { '': 6 });
  assert.deepEqual(intake.ask('depth'), { '': 7 });
  assert.deepEqual(intake.ask('wait_milliseconds_bucket'), { 1: 3, 10: 9, 100: 12, '+Inf': 15 });
  assert.deepEqual(intake.ask('wait_milliseconds_count'), { '': 15 });
  assert.deepEqual(intake.ask('wait_milliseconds_sum'), { '': 2359.5 });
  const size = intake.ask('size_bucket');
  assert.deepEqual([size['0'], size['1'], size['2'], size['64'], size['+Inf']], [0, 3, 6, 12, 15]);
  assert.deepEqual(intake.ask('size_count'), { '': 15 });
  assert.ok(Math.abs((intake.ask('size_sum')[''] ?? 0) - 323.55) < 1e-9);
}
