import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Call,
  HeddleError,
  type Service,
  settle,
  type Span,
  type SpanSink,
  traceContext,
} from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { traced } from './traced.ts';

const time = new VirtualTime();
const runtime = bareRuntime(time);

function sinkInto(spans: Span[], sampleRatio = 1, slowMs = Number.POSITIVE_INFINITY): SpanSink {
  return { sampleRatio, slowMs, take: (span) => spans.push(span) };
}

test('a call without a trace starts one; what it calls is a child of it', async () => {
  const spans: Span[] = [];
  const options = { kind: 'client', sink: sinkInto(spans) } as const;
  const inner: Service<string, string> = traced<string, string>({ ...options, name: (req) => req })(
    async () => 'done',
  );
  const outer = traced<string, string>({ ...options, kind: 'server' })(async (_req, call) => {
    const result = await settle(inner, 'inner', call.child());
    return result.ok ? result.value : '';
  });
  await settle(outer, 'outer', Call.root(runtime));
  const [child, root] = spans;
  assert.equal(child?.name, 'inner');
  assert.equal(child.trace.traceId, root?.trace.traceId);
  assert.equal(child.parentSpanId, root?.trace.spanId);
  assert.equal(root?.parentSpanId, undefined);
});

test('a trace from elsewhere goes on, and its decision on sampling stands', async () => {
  const spans: Span[] = [];
  const service = traced<string, string>({
    kind: 'server',
    sink: sinkInto(spans),
  })(async (_req, call) => call.get(traceContext)?.traceId ?? '');
  const theirs = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: false, state: 'x=1' };
  const call = Call.root(runtime).set(traceContext, theirs);
  assert.deepEqual(await settle(service, '', call), { ok: true, value: theirs.traceId });
  assert.equal(call.get(traceContext)?.state, 'x=1');
  assert.notEqual(call.get(traceContext)?.spanId, theirs.spanId);
  assert.deepEqual(spans, []);
});

test('a span tells how the call ended', async () => {
  const spans: Span[] = [];
  const failure = new HeddleError({ code: 'internal', reason: 'X', message: 'x' });
  const service = traced<string, string>({
    kind: 'server',
    sink: sinkInto(spans),
  })(() => Promise.reject(failure));
  await settle(service, '', Call.root(runtime));
  assert.equal(spans[0]?.error, failure);
});

test('of a trace that is not sampled nothing is taken, unless something failed or was slow', async () => {
  const spans: Span[] = [];
  const sink = sinkInto(spans, 0, 1000);
  const inner = traced<string, string>({ kind: 'client', name: (req) => `call ${req}`, sink });
  const outer = traced<string, string>({ kind: 'server', name: (req) => req, sink });
  const failure = new HeddleError({ code: 'unavailable', reason: 'X', message: 'x' });
  const work = inner(async (req) => {
    if (req === 'slow') await new Promise<void>((resolve) => void time.timers.after(1500, resolve));
    if (req === 'bad') throw failure;
    return req;
  });
  const service = outer(async (req, call) => {
    await settle(work, req, call.child());
    return req;
  });
  const run = async (req: string): Promise<readonly string[]> => {
    const done = settle(service, req, Call.root(runtime));
    await time.advance(2000);
    await done;
    return spans.splice(0).map(({ name }) => name);
  };
  assert.deepEqual(await run('good'), []);
  assert.deepEqual(await run('bad'), ['call bad', 'bad']);
  assert.deepEqual(await run('slow'), ['call slow', 'slow']);
});

test('where only errors are failures, the end of the call is enough to know', async () => {
  const spans: Span[] = [];
  const sink = sinkInto(spans, 0, 1000);
  const failure = new HeddleError({ code: 'unavailable', reason: 'X', message: 'x' });
  const layer = traced<string, string>({
    kind: 'client',
    name: (req) => req,
    sink,
    onlyErrors: true,
    withCall: true,
  });
  const service = layer(async (req) => {
    if (req === 'slow') await new Promise<void>((resolve) => void time.timers.after(1500, resolve));
    if (req === 'bad') throw failure;
    return req;
  });
  const run = async (req: string): Promise<readonly unknown[]> => {
    const done = settle(service, req, Call.root(runtime));
    await time.advance(2000);
    await done;
    return spans
      .splice(0)
      .map(({ name, failed, error, durationMs }) => [name, failed, error?.reason, durationMs]);
  };
  assert.deepEqual(await run('good'), []);
  assert.deepEqual(await run('bad'), [['bad', true, 'X', 0]]);
  assert.deepEqual(await run('slow'), [['slow', false, undefined, 1500]]);
});

test('without anybody who takes spans there are ids all the same', async () => {
  const service = traced<string, string>({ kind: 'server' })(
    async (_req, call) => call.get(traceContext)?.traceId ?? '',
  );
  const result = await settle(service, '', Call.root(runtime));
  assert.match(result.ok ? result.value : '', /^[0-9a-f]{32}$/);
});
