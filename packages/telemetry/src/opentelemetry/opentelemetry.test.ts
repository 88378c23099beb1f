import assert from 'node:assert/strict';
import { test } from 'node:test';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { Call, openSpan, type Span, traceContext, withSpan } from '@heddle/kernel';
import { asyncContext, nodeRuntime } from '@heddle/kernel/node';
import { openTelemetry } from './index.ts';

interface Stage {
  readonly spans: Span[];
  readonly lines: string[];
  readonly runtime: ReturnType<typeof nodeRuntime>;
}

async function staged(work: (stage: Stage) => Promise<void>): Promise<void> {
  const spans: Span[] = [];
  const lines: string[] = [];
  const sink = { sampleRatio: 1, slowMs: 1000, take: (span: Span) => void spans.push(span) };
  const log = (_level: string, message: string, fields?: object): void =>
    void lines.push(`${message} ${JSON.stringify(fields)}`);
  const runtime = { ...nodeRuntime({ name: 'test', logLevel: 'error' }), spans: sink, log };
  const bridge = openTelemetry({ runtime, ambient: asyncContext });
  bridge.install();
  try {
    await work({ spans, lines, runtime });
  } finally {
    bridge.uninstall();
  }
}

const shape = (spans: readonly Span[]): string[] =>
  spans.map(({ name, parentSpanId, kind }) => {
    const parent = spans.find(({ trace: own }) => own.spanId === parentSpanId);
    return `${parent?.name ?? '-'} > ${kind} ${name}`;
  });

test('spans of OpenTelemetry’s API join the trace of the current call, and calls within them are their children', () =>
  staged(async ({ spans, runtime }) => {
    const tracer = trace.getTracer('user code');
    const call = Call.root(runtime);
    await withSpan(call, { kind: 'server', name: 'request' }, (request) =>
      asyncContext.run(request, () =>
        tracer.startActiveSpan(
          'price',
          { kind: SpanKind.INTERNAL, attributes: { items: 3 } },
          async (span) => {
            await Promise.resolve();
            const inner = tracer.startSpan('tax');
            inner.end();
            // What a client of ours does: it takes the current call.
            const current = asyncContext.current();
            assert.ok(current);
            await withSpan(current, { kind: 'client', name: 'rpc' }, async (child) => {
              const active = trace.getActiveSpan()?.spanContext();
              assert.equal(active?.traceId, child.get(traceContext)?.traceId);
            });
            span.end();
          },
        ),
      ),
    );
    assert.deepEqual(shape(spans), [
      'price > internal tax',
      'price > client rpc',
      'request > internal price',
      '- > server request',
    ]);
    assert.equal(new Set(spans.map((each) => each.trace.traceId)).size, 1);
    assert.deepEqual(spans[2]?.attributes, { items: 3 });
  }));

test('without a call a span begins a trace, and what is said of it is kept', () =>
  staged(async ({ spans, lines }) => {
    const tracer = trace.getTracer('job');
    const span = tracer.startSpan('nightly', { links: [] });
    context.with(trace.setSpan(context.active(), span), () => {
      assert.equal(trace.getActiveSpan(), span);
      tracer.startSpan('step').end();
      tracer.startSpan('apart', { root: true }).end();
    });
    span.addEvent('halfway', { done: 7 }).setAttribute('list', ['a', 'b']).updateName('nightly run');
    span.recordException(new TypeError('no disk'));
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'gave up' });
    span.end();
    span.setAttribute('late', true);
    span.end();
    assert.deepEqual(
      shape(spans),
      ['- > internal step', '- > internal apart', '- > internal nightly run'].map((each) =>
        each.endsWith('step') ? 'nightly run > internal step' : each,
      ),
    );
    const [step, apart, whole] = spans;
    assert.equal(step?.trace.traceId, whole?.trace.traceId);
    assert.notEqual(apart?.trace.traceId, whole?.trace.traceId);
    assert.equal(whole?.failed, true);
    assert.equal(whole?.error?.message, 'gave up');
    assert.deepEqual(whole?.attributes, {
      list: '["a","b"]',
      'exception.type': 'TypeError',
      'exception.message': 'no disk',
    });
    assert.match(lines[0] ?? '', /^halfway .*"done":7.*"spanId"/);
  }));

test('a context that a propagator has read is taken as the parent', () =>
  staged(async ({ spans }) => {
    const remote = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
    const from = trace.setSpanContext(context.active(), remote);
    trace.getTracer('http').startSpan('GET /', { kind: SpanKind.SERVER }, from).end();
    assert.equal(spans[0]?.trace.traceId, remote.traceId);
    assert.equal(spans[0]?.parentSpanId, remote.spanId);
  }));

test('a value that is set in a context is there in what was begun in it, and nowhere else', () =>
  staged(async () => {
    const key = Symbol('tenant');
    const bound = context.bind(context.active().setValue(key, 'acme'), () => context.active().getValue(key));
    assert.equal(bound(), 'acme');
    assert.equal(context.active().getValue(key), undefined);
    const seen = await context.with(context.active().setValue(key, 'blue'), async () => {
      await Promise.resolve();
      return context.active().getValue(key);
    });
    assert.equal(seen, 'blue');
  }));

test('a span whose call has ended meanwhile is still told of', () =>
  staged(async ({ runtime, spans }) => {
    const call = Call.root(runtime);
    openSpan(call, { kind: 'server' });
    const span = asyncContext.run(call, () => trace.getTracer('x').startSpan('late'));
    call.end();
    span.end();
    assert.deepEqual(
      spans.map(({ name, trace: own }) => [name, own.traceId]),
      [['late', call.get(traceContext)?.traceId]],
    );
  }));
