import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Call, HeddleError, type Runtime, settle } from '@heddle/kernel';
import { seededRandom, VirtualTime } from '@heddle/kernel/simulated';
import { emptyBody, Fields, wholeBody, type HttpRequest, type HttpResponse } from '@heddle/wire';
import {
  nameEndpoint,
  expose,
  httpClientMetrics,
  httpServerMetrics,
  MetricRegistry,
  metricsService,
  parseExposition,
  rpcMetrics,
  serverMetrics,
} from '../index.ts';

function world(): { time: VirtualTime; runtime: Runtime } {
  const time = new VirtualTime();
  const { clock, timers } = time;
  // The parts under test use time only; sockets and disk are absent on purpose.
  const runtime = { clock, timers, random: seededRandom(1), log: () => {} } as unknown as Runtime;
  return { time, runtime };
}

function get(path: string, method = 'GET'): HttpRequest {
  return { method, scheme: 'http', authority: 'test', path, fields: new Fields(), body: emptyBody };
}

const ok: HttpResponse = { status: 200, fields: new Fields(), body: emptyBody };

function read(registry: MetricRegistry, name: string): [labels: Record<string, string>, value: number][] {
  const samples = parseExposition(expose(registry)).filter((sample) => sample.name === name);
  return samples.map((sample) => [{ ...sample.labels }, sample.value]);
}

test('a request is counted at its end, not when its answer begins', async () => {
  const { time, runtime } = world();
  const registry = new MetricRegistry();
  const service = httpServerMetrics(registry, { service: 'order' })(async (_req, call) => {
    nameEndpoint(call.child(), '/orders');
    call.deferEnd();
    return ok;
  });
  const call = Call.root(runtime);
  await settle(service, get('/orders/7?x=1'), call);
  assert.deepEqual(read(registry, 'http_requests_total'), []);
  assert.deepEqual(read(registry, 'http_requests_in_flight'), [[{ service: 'order' }, 1]]);
  await time.advance(200);
  call.end();
  const labels = { method: 'GET', endpoint: '/orders', service: 'order' };
  assert.deepEqual(read(registry, 'http_requests_total'), [[{ ...labels, status_code: '200' }, 1]]);
  assert.deepEqual(read(registry, 'http_request_duration_seconds_sum'), [[labels, 0.2]]);
  assert.deepEqual(read(registry, 'http_requests_in_flight'), [[{ service: 'order' }, 0]]);
});

test('an error counts as 500, a caller that left as 499, an unknown method as "other"', async () => {
  const { runtime } = world();
  const registry = new MetricRegistry();
  const error = new HeddleError({ code: 'internal', reason: 'BROKEN', message: 'broken' });
  const layer = httpServerMetrics(registry, { service: 'order' });
  const failing = layer(async () => {
    throw error;
  });
  await settle(failing, get('/'), Call.root(runtime));
  const left = Call.root(runtime);
  const slow = layer(async (_req, call) => {
    call.deferEnd();
    return ok;
  });
  await settle(slow, get('/', 'BREW'), left);
  left.end(new HeddleError({ code: 'cancelled', reason: 'PEER_GONE', message: 'gone' }));
  const seen = read(registry, 'http_requests_total').map(([labels, n]) => [
    labels['status_code'],
    labels['method'],
    n,
  ]);
  assert.deepEqual(seen, [
    ['500', 'GET', 1],
    ['499', 'other', 1],
  ]);
});

test('calls of any protocol are counted by their code', async () => {
  const { time, runtime } = world();
  const registry = new MetricRegistry();
  const layer = rpcMetrics<string, string>(registry, {
    side: 'client',
    describe: (req) => ({ service: 'stock', method: req }),
  });
  const service = layer(async (req) => {
    if (req === 'Fail') throw new HeddleError({ code: 'not_found', reason: 'NO_ITEM', message: 'no item' });
    return req;
  });
  await settle(service, 'Get', Call.root(runtime));
  await settle(service, 'Fail', Call.root(runtime));
  await time.advance(1);
  assert.deepEqual(read(registry, 'rpc_client_calls_total'), [
    [{ service: 'stock', method: 'Get', code: 'ok' }, 1],
    [{ service: 'stock', method: 'Fail', code: 'not_found' }, 1],
  ]);
  assert.deepEqual(read(registry, 'rpc_client_in_flight'), [[{ service: 'stock' }, 0]]);
  assert.equal(read(registry, 'rpc_client_duration_seconds_count').length, 2);
});

test('server and client metrics live in one registry', () => {
  const registry = new MetricRegistry();
  httpServerMetrics(registry, { service: 'a' });
  httpClientMetrics(registry, { service: 'b' });
  assert.deepEqual(read(registry, 'http_client_requests_in_flight'), [[{ service: 'b' }, 0]]);
});

test('the metrics page answers GET and HEAD of /metrics only', async () => {
  const { runtime } = world();
  const registry = new MetricRegistry();
  registry.gauge({ name: 'g', help: 'G.' }).series().set(4);
  const service = metricsService(registry);
  const page = await service(get('/metrics?x'), Call.root(runtime));
  assert.equal(page.status, 200);
  assert.equal(page.fields.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(new TextDecoder().decode(await page.body.bytes(10_000)), /^g 4$/m);
  assert.equal((await service(get('/metrics', 'HEAD'), Call.root(runtime))).body.size, 0);
  assert.equal((await service(get('/metrics', 'POST'), Call.root(runtime))).fields.get('allow'), 'GET, HEAD');
  assert.equal((await service(get('/'), Call.root(runtime))).status, 404);
});

test('an answer that ends before this layer sees it is counted with its status', async () => {
  const { runtime } = world();
  const registry = new MetricRegistry();
  const service = httpServerMetrics(registry, { service: 'order' })(async (_req, call) => {
    call.deferEnd();
    call.end();
    return { ...ok, status: 204 };
  });
  await settle(service, get('/'), Call.root(runtime));
  assert.deepEqual(
    read(registry, 'http_requests_total').map(([labels, n]) => [labels['status_code'], n]),
    [['204', 1]],
  );
});

test('an error that a layer above makes an answer of is counted all the same', async () => {
  const { runtime } = world();
  const registry = new MetricRegistry();
  const service = httpServerMetrics(registry, { service: 'order' })(async () => {
    throw new HeddleError({ code: 'resource_exhausted', reason: 'FULL', message: 'full' });
  });
  const answering = (req: HttpRequest, call: Call): Promise<HttpResponse> =>
    service(req, call).catch(() => ok);
  await settle(answering, get('/'), Call.root(runtime));
  assert.deepEqual(
    read(registry, 'http_requests_total').map(([labels, n]) => [labels['status_code'], n]),
    [['429', 1]],
  );
  assert.deepEqual(read(registry, 'http_requests_in_flight'), [[{ service: 'order' }, 0]]);
});

test('gRPC is counted by the status on the wire, beside plain HTTP', async () => {
  const { runtime } = world();
  const registry = new MetricRegistry();
  let answer: HttpResponse = ok;
  const service = serverMetrics(registry, { service: 'order' })(async () => answer);
  const fields = Fields.of({ 'content-type': 'application/grpc+proto' });
  const ask = (path: string): Promise<unknown> =>
    settle(service, { ...get(path, 'POST'), fields }, Call.root(runtime));
  const trailers = (status: string): HttpResponse => ({
    ...ok,
    body: wholeBody(new Uint8Array(3), Fields.of({ 'grpc-status': status })),
  });
  answer = trailers('0');
  await ask('/shop.Orders/Place');
  answer = trailers('14');
  await ask('/shop.Orders/Place');
  answer = { ...ok, fields: Fields.of({ 'grpc-status': '5' }) };
  await ask('/shop.Orders/Get');
  answer = ok;
  await ask('/shop.Orders/Get');
  await settle(service, get('/readyz'), Call.root(runtime));
  assert.deepEqual(
    read(registry, 'rpc_server_calls_total').map(([labels, n]) => [labels['method'], labels['code'], n]),
    [
      ['Place', 'ok', 1],
      ['Place', 'unavailable', 1],
      ['Get', 'not_found', 1],
      ['Get', 'unknown', 1],
    ],
  );
  assert.equal(read(registry, 'http_requests_total').length, 1);
});
