// Jaeger's query API: spans that come in by OpenTelemetry's own exporter are asked for as Jaeger's user interface and Grafana ask,
// and each answer is held against the shapes that Jaeger's source gives (`model/json/model.go`). Where a real Jaeger has been built
// (`node scripts/engines/main.ts install jaeger`), it is asked the same, and has to answer alike; and our exporter sends to it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Call, traceContext, withSpan } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { isJaegerQuery, jaegerApi, OtlpExporter, otlpService, TelemetryStore } from '@heddle/telemetry';
import { openDuckDbHistory } from '@heddle/telemetry/store';
import { type HttpServer, serve } from '@heddle/wire';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { isMissing, obtain, type Place, type Running } from '../../engines/engine.ts';
import { jaeger } from '../../engines/jaeger.ts';
import { freePlace } from '../../engines/running.ts';
import { type Contract, type ContractResult, resultOf } from '../result.ts';
import { shownAlike } from './jaeger-alike.ts';
import { until } from './alert-desk.ts';

const backend = 'jaeger';
const version = 'shapes of its source';

interface Stage {
  readonly origin: string;
  readonly traceId: string;
}

const realCases = [
  'a real Jaeger answers all of these alike',
  'a real Jaeger shows the same spans as we do',
  'our exporter, to a real Jaeger',
] as const;

/** The suite. */
export const jaegerContract: Contract = {
  backend,
  run: async () => {
    const dataFolder = mkdtempSync(path.join(tmpdir(), 'heddle-jaeger-'));
    const runtime = nodeRuntime({ name: backend, dataFolder, logLevel: 'error' });
    const history = await openDuckDbHistory({ folder: path.join(dataFolder, 'history'), wallMs: Date.now });
    const store = new TelemetryStore({ runtime, history });
    await store.start();
    const [intake, queries] = [otlpService({ sink: store }), jaegerApi(store, runtime.clock)];
    const server: HttpServer = await serve(
      (request, call) => (isJaegerQuery(request) ? queries : intake)(request, call),
      { runtime, address: { host: '127.0.0.1', port: 0 } },
    );
    const origin = `http://127.0.0.1:${server.address.port}`;
    try {
      const stage = { origin, traceId: await sendTrace(`${origin}/v1/traces`) };
      const results: ContractResult[] = [];
      for (const [name, each] of Object.entries(cases))
        results.push(await resultOf(backend, version, name, () => each(stage)));
      return [...results, ...(await besideJaeger(origin))];
    } finally {
      await server.stop();
      await store.stop();
      rmSync(dataFolder, { recursive: true, force: true });
    }
  },
};

/** What only a real Jaeger can tell. */
async function besideJaeger(ours: string): Promise<ContractResult[]> {
  const found = await obtain(jaeger);
  if (isMissing(found)) {
    const skipped = { backend, version: '', status: 'skipped', detail: found.missing } as const;
    return realCases.map((name) => ({ ...skipped, case: name }));
  }
  const [alike, same, exported] = realCases;
  const otlp = await freePlace();
  const real: Running = await jaeger.start({ otlp });
  const origin = originOf(real.address);
  const check = (name: string, run: () => Promise<void>): Promise<ContractResult> =>
    resultOf(backend, `jaeger ${found.version}`, name, run);
  try {
    return [
      await check(alike, async () => {
        const traceId = await sendTrace(`${originOf(otlp)}/v1/traces`);
        for (const each of Object.values(cases)) await each({ origin, traceId });
      }),
      await check(same, async () => {
        const traceId = await sendTrace(`${originOf(otlp)}/v1/traces`, `${ours}/v1/traces`);
        const [theirs, own] = [await traceAt(origin, traceId), await traceAt(ours, traceId)];
        shownAlike(own, theirs);
      }),
      await check(exported, () => exportedTo(otlp, origin)),
    ];
  } finally {
    await real.stop();
  }
}

async function traceAt(origin: string, traceId: string): Promise<unknown> {
  let found: unknown;
  const look = async (): Promise<boolean> => {
    const answer = await fetch(`${origin}/api/traces/${traceId}`);
    found = answer.ok ? ((await answer.json()) as Answer).data[0] : undefined;
    return (found as { spans?: unknown[] } | undefined)?.spans?.length === 2;
  };
  await until(look, () => `${origin} shows ${JSON.stringify(found)}`);
  return found;
}

async function exportedTo(otlp: Place, origin: string): Promise<void> {
  const runtime = nodeRuntime({ name: 'ours', logLevel: 'error' });
  const resource = { 'service.name': 'ours', 'service.version': '1' };
  const sink = new OtlpExporter({ runtime, address: otlp, resource, sampleRatio: 1 });
  const call = Call.root(runtime);
  let traceId = '';
  await withSpan(call, { kind: 'server', name: 'outer', sink }, async (outer) => {
    await withSpan(
      outer,
      { kind: 'client', name: 'inner', sink, attributes: { tries: 2 } },
      async (inner) => {
        traceId = inner.get(traceContext)?.traceId ?? '';
      },
    );
  });
  call.end();
  await sink.stop();
  if (sink.counts.sent !== 2) throw new Error(JSON.stringify(sink.counts));
  const { spans } = (await traceAt(origin, traceId)) as { readonly spans: readonly Shown[] };
  const [inner] = spans.filter(({ operationName }) => operationName === 'inner');
  const [outer] = spans.filter(({ operationName }) => operationName === 'outer');
  if (outer === undefined || inner?.references[0]?.spanID !== outer.spanID)
    throw new Error(JSON.stringify(spans));
}

function originOf({ host, port }: Place): string {
  return `http://${host}:${port}`;
}

/** Two services by OpenTelemetry's SDK: one calls the other, which fails. To all of `urls`. The trace's id. */
async function sendTrace(...urls: readonly string[]): Promise<string> {
  const providers = ['order', 'payment'].map((service) => {
    const resource = resourceFromAttributes({ 'service.name': service });
    const spanProcessors = urls.map(
      (url) => new SimpleSpanProcessor({ exporter: new OTLPTraceExporter({ url }) }),
    );
    return new TracerProvider({ resource, spanProcessors });
  });
  const [order, payment] = providers.map((each) => each.getTracer('suite'));
  if (order === undefined || payment === undefined) throw new Error('there were to be two');
  const call = order.startSpan('Pay', {
    kind: SpanKind.CLIENT,
    attributes: { 'rpc.system': 'grpc', tries: 2 },
  });
  const within = trace.setSpan(context.active(), call);
  const answer = payment.startSpan('Pay', { kind: SpanKind.SERVER }, within);
  answer.addEvent('declined', { code: 51 });
  answer.setStatus({ code: SpanStatusCode.ERROR, message: 'no money' });
  answer.end();
  call.end();
  await Promise.all(providers.map((each) => each.forceFlush()));
  await Promise.all(providers.map((each) => each.shutdown()));
  return call.spanContext().traceId;
}

interface Answer {
  readonly data: readonly unknown[];
  readonly total: number;
  readonly errors: unknown;
}

async function ask(origin: string, where: string): Promise<Answer> {
  const answer = await fetch(`${origin}${where}`);
  if (answer.status !== 200) throw new Error(`${where}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

const cases: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  services: async ({ origin }) => {
    let found: readonly unknown[] = [];
    const look = async (): Promise<boolean> => {
      ({ data: found } = await ask(origin, '/api/services'));
      return found.includes('order') && found.includes('payment');
    };
    await until(look, () => `found ${JSON.stringify(found)}`);
  },
  operations: async ({ origin }) => {
    const { data } = await ask(origin, '/api/services/payment/operations');
    if (JSON.stringify(data) !== '["Pay"]') throw new Error(JSON.stringify(data));
    const { data: newer } = await ask(origin, '/api/operations?service=payment');
    checkShape(newer[0], { name: 'string', spanKind: 'string' });
  },
  'a trace has the shape of Jaeger’s': async ({ origin, traceId }) => {
    const { data } = await ask(origin, `/api/traces/${traceId}`);
    checkShape(data[0], traceShape);
    const { spans, processes } = data[0] as {
      spans: Shown[];
      processes: Record<string, { serviceName: string }>;
    };
    const served = spans.find(({ processID }) => processes[processID]?.serviceName === 'payment');
    const caller = spans.find(({ processID }) => processes[processID]?.serviceName === 'order');
    const [reference] = served?.references ?? [];
    if (reference?.refType !== 'CHILD_OF' || reference.spanID !== caller?.spanID)
      throw new Error(JSON.stringify(spans));
    const tags = served?.tags.map(({ key, value }) => `${key}=${String(value)}`) ?? [];
    for (const wanted of ['span.kind=server', 'error=true', 'otel.status_code=ERROR'])
      if (!tags.includes(wanted)) throw new Error(`${wanted} is not among ${tags.join(' ')}`);
    if (!JSON.stringify(served?.logs).includes('declined')) throw new Error(JSON.stringify(served?.logs));
  },
  'search as Grafana asks': async ({ origin, traceId }) => {
    const now = Date.now() * 1000;
    const asked = new URLSearchParams({
      service: 'order',
      operation: 'Pay',
      start: String(now - 3_600_000_000),
      end: String(now + 60_000_000),
      minDuration: '0ms',
      maxDuration: '60s',
      limit: '20',
      tags: JSON.stringify({ 'rpc.system': 'grpc' }),
    });
    const { data } = await ask(origin, `/api/traces?${asked.toString()}`);
    if ((data[0] as { traceID?: string } | undefined)?.traceID !== traceId)
      throw new Error(JSON.stringify(data));
  },
  'failed traces by error=true': async ({ origin, traceId }) => {
    const asked = new URLSearchParams({ service: 'payment', tags: '{"error":"true"}' });
    const { data } = await ask(origin, `/api/traces?${asked.toString()}`);
    if ((data[0] as { traceID?: string } | undefined)?.traceID !== traceId)
      throw new Error(JSON.stringify(data));
  },
  dependencies: async ({ origin }) => {
    const { data } = await ask(origin, `/api/dependencies?endTs=${Date.now() + 60_000}&lookback=3600000`);
    checkShape(data[0], { parent: 'string', child: 'string', callCount: 'number' });
    if (JSON.stringify(data) !== '[{"parent":"order","child":"payment","callCount":1}]')
      throw new Error(JSON.stringify(data));
  },
  'an unknown trace is 404 with an error': async ({ origin }) => {
    const answer = await fetch(`${origin}/api/traces/00000000000000000000000000000abc`);
    const { errors } = (await answer.json()) as { errors: unknown[] };
    if (answer.status !== 404) throw new Error(String(answer.status));
    checkShape(errors[0], { code: 'number', msg: 'string' });
  },
};

interface Shown {
  readonly spanID: string;
  readonly operationName: string;
  readonly processID: string;
  readonly references: readonly { readonly refType: string; readonly spanID: string }[];
  readonly tags: readonly { readonly key: string; readonly value: unknown }[];
  readonly logs: readonly unknown[];
}

/** A name of `typeof`, an object of shapes, or a list of one. */
type Shape = string | { readonly [key: string]: Shape } | readonly [Shape];

const tagShape = { key: 'string', type: 'string', value: 'any' };
const traceShape: Shape = {
  traceID: 'string',
  spans: [
    {
      traceID: 'string',
      spanID: 'string',
      operationName: 'string',
      references: [{ refType: 'string', traceID: 'string', spanID: 'string' }],
      startTime: 'number',
      duration: 'number',
      tags: [tagShape],
      logs: [{ timestamp: 'number', fields: [tagShape] }],
      processID: 'string',
    },
  ],
  processes: 'object',
};

function checkShape(value: unknown, shape: Shape, where = ''): void {
  if (shape === 'any') return;
  if (typeof shape === 'string') {
    if (typeof value !== shape)
      throw new Error(`${where}: expected ${shape}, found ${JSON.stringify(value)}`);
    return;
  }
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) throw new Error(`${where}: expected a list, found ${JSON.stringify(value)}`);
    for (const [at, each] of value.entries()) checkShape(each, shape[0] as Shape, `${where}[${at}]`);
    return;
  }
  if (typeof value !== 'object' || value === null)
    throw new Error(`${where}: found ${JSON.stringify(value)}`);
  for (const [key, inner] of Object.entries(shape))
    checkShape((value as Record<string, unknown>)[key], inner, `${where}.${key}`);
}
