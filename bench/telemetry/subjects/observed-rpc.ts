// A gRPC call through the whole client stack and the whole server stack, both in this process, over the loopback.
import { openSync, writeSync } from 'node:fs';
import { context, type Span, SpanKind, trace } from '@opentelemetry/api';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { create, type DescMethodUnary } from '@bufbuild/protobuf';
import type { Layer } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { createTransport, type RpcRequest, type RpcResponse, rpcServer } from '@heddle/rpc';
import { accessLog, MetricRegistry, OtlpExporter, rpcMetrics, serverMetrics } from '@heddle/telemetry';
import { emptyBody, Fields, type HttpRequest, type HttpResponse, serve } from '@heddle/wire';
import { Counter, Histogram } from 'prom-client';
import { unaryMessage } from '../../wire/payload.ts';
import { payload, service, unary } from '../../wire/subjects/connect-echo.ts';
import { takeTurns } from './turns.ts';

const mode = process.argv[2];
const bare = nodeRuntime({ name: 'bench', logLevel: 'error' });
const nowhere = openSync('/dev/null', 'w');
// Lines are written in pieces, as loggers do that are made for speed.
let lines = '';
const log: typeof bare.log = (level, message, fields) => {
  lines += `${JSON.stringify({ time: bare.clock.wallMs(), level, message, ...fields })}\n`;
  if (lines.length < 16_384) return;
  writeSync(nowhere, lines);
  lines = '';
};

/** An intake that takes everything and keeps nothing: what sending costs is ours, what receiving costs is not. */
const intake = await serve(
  async ({ body }) => {
    await body.bytes(16 * 1024 * 1024);
    return { status: 200, fields: new Fields(), body: emptyBody };
  },
  { runtime: bare, address: { host: '127.0.0.1', port: 0 } },
);
const exporter = new OtlpExporter({
  runtime: bare,
  address: intake.address,
  resource: { 'service.name': 'bench' },
  sampleRatio: 0.1,
});
const runtime = { ...bare, log, ...(mode === 'on' && { spans: exporter }) };

/** The same with OpenTelemetry's SDK and prom-client, as their users wire them. */
function peerLayer<Req, Res>(side: 'client' | 'server'): Layer<Req, Res> {
  const calls = new Counter({ name: `${side}_calls_total`, help: 'Calls.', labelNames: ['method', 'code'] });
  const seconds = new Histogram({ name: `${side}_seconds`, help: 'Durations.', labelNames: ['method'] });
  const exporterOf = {
    export: (_: unknown, done: (result: { code: number }) => void) => done({ code: 0 }),
    shutdown: async () => {},
  };
  const provider = new TracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.1) }),
    spanProcessors: [new BatchSpanProcessor({ exporter: exporterOf })],
  });
  const tracer = provider.getTracer('bench');
  const kind = side === 'client' ? SpanKind.CLIENT : SpanKind.SERVER;
  return (next) => (req, call) => {
    const span: Span = tracer.startSpan(
      'echo/Unary',
      { kind, attributes: { 'rpc.system': 'grpc', 'rpc.method': 'Unary' } },
      context.active(),
    );
    const end = seconds.startTimer({ method: 'Unary' });
    call.onEnd(({ error }) => {
      end();
      const code = error?.code ?? 'ok';
      calls.inc({ method: 'Unary', code });
      span.setAttribute('rpc.code', code);
      span.end();
      if (side === 'server')
        log('info', 'request', { method: 'Unary', code, traceId: span.spanContext().traceId });
    });
    return context.with(trace.setSpan(context.active(), span), () => next(req, call));
  };
}

const registry = new MetricRegistry();
const server = rpcServer({
  runtime,
  routes: (router) => router.service(service, { unary: (given: unknown) => given } as never),
  ...(mode === 'on' && { observe: serverMetrics(registry, { service: 'bench' }), layers: [accessLog] }),
  ...(mode === 'opentelemetry' && {
    trace: false as const,
    observe: peerLayer<HttpRequest, HttpResponse>('server'),
  }),
});
await server.start();
const transport = createTransport({
  runtime,
  target: `127.0.0.1:${server.address.port}`,
  timeoutMs: 5000,
  ...(mode === 'off' && { trace: false as const }),
  ...(mode === 'on' && {
    observe: rpcMetrics<RpcRequest, RpcResponse>(registry, {
      side: 'client',
      describe: ({ method }) => ({ service: method.parent.typeName, method: method.name }),
    }),
  }),
  ...(mode === 'opentelemetry' && {
    trace: false as const,
    observe: peerLayer<RpcRequest, RpcResponse>('client'),
  }),
});
const message = create(payload, { body: unaryMessage.subarray(2) });
process.on('SIGINT', () => process.exit(0));
takeTurns(async () => {
  await transport.unary(unary as DescMethodUnary, undefined, undefined, undefined, message);
});
