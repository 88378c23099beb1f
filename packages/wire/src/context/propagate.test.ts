import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  baggage,
  Call,
  correlationId,
  HeddleError,
  idempotencyKey,
  priority,
  settle,
  tenantId,
  traceContext,
  userId,
} from '@heddle/kernel';
import { bareRuntime, VirtualTime } from '@heddle/kernel/simulated';
import { emptyBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import type { HttpRequest, HttpService } from '../message/http.ts';
import { propagateIn, propagateOut, readContext, writeContext } from './propagate.ts';

const time = new VirtualTime();
const runtime = bareRuntime(time);
const request = (fields: Record<string, string>): HttpRequest => {
  const empty = { method: 'POST', scheme: 'http', authority: 'x', path: '/', body: emptyBody } as const;
  return { ...empty, fields: Fields.of(fields) };
};
const grpc = { 'content-type': 'application/grpc' };

const full = (): Call =>
  Call.root(runtime, time.clock.nowMs() + 2500)
    .set(correlationId, 'c-1')
    .set(userId, 'u-1')
    .set(tenantId, 't-1')
    .set(idempotencyKey, 'k-1')
    .set(baggage, 'a=1')
    .set(priority, 'critical')
    .set(traceContext, { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true, state: 'v=1' });

test('writes every key under its name, with the time left', () => {
  const fields = new Fields();
  writeContext(full(), fields);
  assert.deepEqual(Object.fromEntries(fields), {
    'x-correlation-id': 'c-1',
    'x-user-id': 'u-1',
    'x-tenant-id': 't-1',
    'idempotency-key': 'k-1',
    baggage: 'a=1',
    'x-priority': 'critical',
    traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    tracestate: 'v=1',
    'x-request-timeout': '2.5',
  });
  const forGrpc = Fields.of(grpc);
  writeContext(full(), forGrpc);
  assert.equal(forGrpc.get('grpc-timeout'), '2500m');
  assert.equal(forGrpc.has('x-request-timeout'), false);
});

test('reads back what it writes', async () => {
  let inside: Call | undefined;
  const handler: HttpService = async (_req, call) => {
    inside = call;
    return { status: 200, fields: new Fields(), body: emptyBody };
  };
  for (const fields of [{}, grpc]) {
    await settle(propagateOut(propagateIn(handler)), request(fields), full());
    const texts = [correlationId, userId, tenantId, idempotencyKey, baggage];
    const seen = [...texts.map((key) => inside?.get(key)), inside?.get(priority)];
    assert.deepEqual(seen, ['c-1', 'u-1', 't-1', 'k-1', 'a=1', 'critical']);
    assert.deepEqual(inside?.get(traceContext), {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      sampled: true,
      state: 'v=1',
    });
    assert.equal(inside?.deadlineMs, time.clock.nowMs() + 2500);
  }
});

test('a call without context adds nothing, and an explicit field stands', () => {
  const fields = new Fields();
  writeContext(Call.root(runtime), fields);
  assert.equal(fields.size, 0);
  const own = Fields.of({ 'x-user-id': 'explicit' });
  writeContext(full(), own);
  assert.deepEqual(own.all('x-user-id'), ['explicit']);
});

test('the request of the caller is not changed', async () => {
  const req = request({});
  await settle(
    propagateOut(async () => ({ status: 200, fields: new Fields(), body: emptyBody })),
    req,
    full(),
  );
  assert.equal(req.fields.size, 0);
});

test('a deadline that cannot be read is refused before the handler', async () => {
  for (const fields of [
    { 'x-request-timeout': 'soon' },
    { 'connect-timeout-ms': '1s' },
    { ...grpc, 'grpc-timeout': '999999999m' },
  ]) {
    let handled = false;
    const layer = propagateIn(async () => {
      handled = true;
      return { status: 200, fields: new Fields(), body: emptyBody };
    });
    const result = await settle(layer, request(fields), Call.root(runtime));
    assert.equal(result.ok ? 'ok' : result.error.reason, 'BAD_TIMEOUT');
    assert.equal(handled, false);
  }
});

test('the time of a Connect client is read, and written on, in its own field', async () => {
  let sent: Fields | undefined;
  const gateway = propagateIn(
    propagateOut(async ({ fields }) => {
      sent = fields;
      return { status: 200, fields: new Fields(), body: emptyBody };
    }),
  );
  await settle(
    gateway,
    request({ 'connect-timeout-ms': '60000' }),
    Call.root(runtime, time.clock.nowMs() + 100),
  );
  assert.equal(sent?.get('connect-timeout-ms'), '100');
  assert.equal(sent?.has('x-request-timeout'), false);
});

test('the request cannot extend the deadline that the server has set', async () => {
  let deadlineMs: number | undefined;
  const layer = propagateIn(async (_req, call) => {
    deadlineMs = call.deadlineMs;
    return { status: 200, fields: new Fields(), body: emptyBody };
  });
  await settle(layer, request({ 'x-request-timeout': '60' }), Call.root(runtime, time.clock.nowMs() + 100));
  assert.equal(deadlineMs, time.clock.nowMs() + 100);
});

test('values that are unsafe or too long count as not said', () => {
  const bad = {
    'x-user-id': 'a\u0000b',
    'x-tenant-id': 'é',
    'x-correlation-id': 'x'.repeat(257),
    'x-priority': 'highest',
  };
  const call = Call.root(runtime);
  readContext(Fields.of(bad), call);
  assert.deepEqual(
    [userId, tenantId, correlationId].map((key) => call.get(key)),
    [undefined, undefined, undefined],
  );
  assert.equal(call.get(priority), 'normal');
});

const trace = (fields: Record<string, string>): unknown => {
  const call = Call.root(runtime);
  readContext(Fields.of(fields), call);
  return call.get(traceContext);
};
const ids = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };

test('traceparent: well-formed ones, and later versions', () => {
  assert.deepEqual(trace({ traceparent: `00-${ids.traceId}-${ids.spanId}-01` }), { ...ids, sampled: true });
  assert.deepEqual(trace({ traceparent: `00-${ids.traceId}-${ids.spanId}-02` }), { ...ids, sampled: false });
  assert.deepEqual(trace({ traceparent: `cc-${ids.traceId}-${ids.spanId}-01-more` }), {
    ...ids,
    sampled: true,
  });
});

test('traceparent: malformed ones count as none', () => {
  const bad = [
    `ff-${ids.traceId}-${ids.spanId}-01`,
    `00-${ids.traceId}-${ids.spanId}-01-more`,
    `00-${'0'.repeat(32)}-${ids.spanId}-01`,
    `00-${ids.traceId}-${'0'.repeat(16)}-01`,
    `00-${ids.traceId.toUpperCase()}-${ids.spanId}-01`,
    `00-${ids.traceId}-${ids.spanId}`,
    '',
  ];
  for (const traceparent of bad) assert.equal(trace({ traceparent }), undefined, traceparent);
});

test('B3 is understood, in one field and in many', () => {
  assert.deepEqual(trace({ b3: `${ids.traceId}-${ids.spanId}-1` }), { ...ids, sampled: true });
  assert.deepEqual(trace({ b3: `${ids.traceId}-${ids.spanId}-d-${ids.spanId}` }), { ...ids, sampled: true });
  assert.deepEqual(trace({ b3: `${ids.spanId}-${ids.spanId}` }), {
    traceId: ids.spanId.padStart(32, '0'),
    spanId: ids.spanId,
    sampled: false,
  });
  const many = { 'x-b3-traceid': ids.traceId, 'x-b3-spanid': ids.spanId, 'x-b3-sampled': '1' };
  assert.deepEqual(trace(many), { ...ids, sampled: true });
  for (const b3 of ['0', 'x', `${ids.traceId}-`, `${'0'.repeat(32)}-${ids.spanId}-1`])
    assert.equal(trace({ b3 }), undefined);
});

test('a handler that fails ends its call with the failure', async () => {
  let inside: Call | undefined;
  const layer = propagateIn(async (_req, call) => {
    inside = call;
    throw new HeddleError({ code: 'internal', reason: 'X', message: 'x' });
  });
  await settle(layer, request({}), Call.root(runtime));
  assert.equal(inside?.outcome?.error?.reason, 'X');
});

test('uber-trace-id of Jaeger is read where there is nothing newer', () => {
  const short = { traceId: '5'.padStart(32, '0'), spanId: 'a1'.padStart(16, '0') };
  assert.deepEqual(trace({ 'uber-trace-id': '5:a1:0:1' }), { ...short, sampled: true });
  assert.deepEqual(trace({ 'uber-trace-id': '5:a1:0:2' }), { ...short, sampled: false });
  for (const bad of ['0:a1:0:1', '5:0:0:1', '5:a1:1', 'x:a1:0:1'])
    assert.equal(trace({ 'uber-trace-id': bad }), undefined, bad);
  const both = { 'uber-trace-id': '5:a1:0:1', traceparent: `00-${ids.traceId}-${ids.spanId}-01` };
  assert.deepEqual(trace(both), { ...ids, sampled: true });
});

test('a trace that began where nobody takes spans is not sent on', () => {
  const fields = new Fields();
  const call = Call.root(bareRuntime(new VirtualTime())).set(traceContext, {
    ...ids,
    sampled: false,
    undecided: true,
  });
  writeContext(call, fields);
  assert.equal(fields.get('traceparent'), undefined);
});
