import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, HeddleError, type Service, settle, traceContext } from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { type Span, traced } from './traced.ts';

const time = new VirtualTime();
const runtime = bareRuntime(time);

test('a call without a trace starts one; what it calls is a child of it', async () => {
  const spans: Span[] = [];
  const options = { kind: 'client', sampleRatio: 1, onSpan: (span: Span) => spans.push(span) } as const;
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
    sampleRatio: 1,
    onSpan: (span) => spans.push(span),
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
    sampleRatio: 1,
    onSpan: (span) => spans.push(span),
  })(() => Promise.reject(failure));
  await settle(service, '', Call.root(runtime));
  assert.equal(spans[0]?.error, failure);
});
