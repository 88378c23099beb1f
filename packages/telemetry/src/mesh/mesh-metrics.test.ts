import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Labels } from '../promql/labels.ts';
import { MetricStore } from '../store/metric-store.ts';
import { meshMetrics } from './mesh-metrics.ts';
import { storeQuery } from './mesh-query.ts';

/** Order answers 10 requests a second over HTTP, of which a tenth fail, in 20 ms each; it calls payment 5 times a second. */
function observed(): MetricStore {
  const store = new MetricStore();
  for (let second = 0; second <= 300; second += 10) {
    const add = (labels: Record<string, string>, value: number): void =>
      store.add(Labels.of(labels), second * 1000, value);
    const order = { job: 'order', instance: 'a' };
    add({ __name__: 'http_requests_total', ...order, status_code: '200' }, second * 9);
    add({ __name__: 'http_requests_total', ...order, status_code: '503' }, second);
    const durations = 'http_request_duration_seconds';
    add({ __name__: `${durations}_sum`, ...order }, second * 0.2);
    add({ __name__: `${durations}_count`, ...order }, second * 10);
    for (const [le, share] of [
      ['0.01', 0],
      ['0.03', 1],
      ['+Inf', 1],
    ] as const)
      add({ __name__: `${durations}_bucket`, ...order, le }, second * 10 * share);
    const call = { ...order, service: 'shop.Payment', method: 'Pay' };
    add({ __name__: 'rpc_client_calls_total', ...call, code: 'ok' }, second * 4);
    add({ __name__: 'rpc_client_calls_total', ...call, code: 'unavailable' }, second);
    add({ __name__: 'rpc_client_calls_total', ...call, code: 'not_found' }, 0);
    add({ __name__: 'rpc_server_calls_total', job: 'payment', instance: 'b', code: 'ok' }, second * 4);
  }
  return store;
}

test('requests, errors and latency of the mesh, of each service and of each edge', async () => {
  const store = observed();
  const source = async (): Promise<MetricStore> => store;
  const query = storeQuery({ sourceFor: source, sourceBetween: source });
  const { services, edges, ...whole } = await meshMetrics(query, 300_000, 200_000);
  assert.equal(Math.round(whole.requestCount), 2800);
  assert.equal(whole.errorRate.toFixed(4), (200 / 2800).toFixed(4));
  const { order, payment } = services;
  assert.ok(order && payment);
  assert.deepEqual([Math.round(order.requestCount), order.errorRate.toFixed(3)], [2000, '0.100']);
  assert.equal(order.perSecond.toFixed(1), '10.0');
  assert.deepEqual([order.latency.meanMs?.toFixed(1), order.latency.p50Ms?.toFixed(1)], ['20.0', '20.0']);
  assert.deepEqual([payment.errorRate, payment.latency.p99Ms], [0, null]);
  assert.deepEqual(
    edges.map(({ client, server, errorRate }) => [client, server, errorRate.toFixed(2)]),
    [['order', 'shop.Payment', '0.20']],
  );
});

test('a mesh that nobody has observed is empty', async () => {
  const source = async (): Promise<MetricStore> => new MetricStore();
  const found = await meshMetrics(storeQuery({ sourceFor: source, sourceBetween: source }), 300_000, 60_000);
  assert.deepEqual([found.requestCount, found.errorRate, found.services, found.edges], [0, 0, {}, []]);
});
