import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { expose, MetricRegistry, parseExposition } from '@heddle/telemetry';
import fc from 'fast-check';
import { readTraffic, type TrafficReading } from './traffic-reading.ts';
import { addTraffic, noTraffic, quantile, TrafficWindow } from './traffic-window.ts';

const infinity = Number.POSITIVE_INFINITY;

function reading(requests: number, errors = 0, counts: readonly number[] = [requests, 0, 0]): TrafficReading {
  const bounds = [0.01, 0.1, infinity];
  return { requests, errors, bounds, counts, inFlight: 0, cpuSeconds: requests / 100, residentBytes: 1 };
}

describe('readTraffic', () => {
  test('adds up HTTP and RPC, and holds only its own failures against a server', () => {
    const registry = new MetricRegistry();
    const labels = ['method', 'endpoint', 'status_code', 'service'];
    const http = registry.counter({ name: 'http_requests_total', help: '', labels });
    http.series('GET', '/', '200', 's').inc(5);
    http.series('GET', '/', '404', 's').inc(2);
    http.series('GET', '/', '503', 's').inc(1);
    const rpc = registry.counter({
      name: 'rpc_server_calls_total',
      help: '',
      labels: ['service', 'method', 'code'],
    });
    rpc.series('s', 'm', 'ok').inc(10);
    rpc.series('s', 'm', 'not_found').inc(3);
    rpc.series('s', 'm', 'internal').inc(4);
    const times = { name: 'rpc_server_duration_seconds', help: '', labels: ['service'], buckets: [0.1, 1] };
    const durations = registry.histogram(times);
    for (const value of [0.05, 0.5, 0.6, 3]) durations.series('a').observe(value);
    durations.series('b').observe(0.07);
    const { requests, errors, bounds, counts } = readTraffic(parseExposition(expose(registry)));
    assert.deepEqual({ requests, errors }, { requests: 25, errors: 5 });
    assert.deepEqual(bounds, [0.1, 1, infinity]);
    assert.deepEqual(counts, [2, 2, 1]);
  });

  test('of nothing is nothing, and what was not said stays unknown', () => {
    const { requests, cpuSeconds, residentBytes } = readTraffic([]);
    assert.deepEqual(
      { requests, cpuSeconds, residentBytes },
      { requests: 0, cpuSeconds: undefined, residentBytes: undefined },
    );
  });
});

describe('TrafficWindow', () => {
  test('says nothing until there are two readings', () => {
    const window = new TrafficWindow(10_000);
    assert.equal(window.over(), undefined);
    window.add(0, reading(100));
    assert.equal(window.over(), undefined);
    assert.equal(window.latestStep(), undefined);
  });

  test('counts what came between the readings of its span', () => {
    const window = new TrafficWindow(10_000);
    for (let at = 0; at <= 20; at += 2) window.add(at * 1000, reading(at * 5, at, [at * 5, 0, 0]));
    const over = window.over();
    assert.equal(over?.seconds, 10);
    assert.equal(over?.requests, 50);
    assert.equal(over?.errors, 10);
    assert.equal(window.latestStep()?.requests, 10);
    assert.equal(window.cpuCores(), 0.05);
  });

  test('a process that was started anew counts from zero, not backwards', () => {
    const window = new TrafficWindow(10_000);
    window.add(0, reading(1000, 7));
    window.add(2000, reading(1010, 7));
    window.add(4000, reading(6, 1, [4, 2, 0]));
    const over = window.over();
    assert.equal(over?.requests, 16);
    assert.equal(over?.errors, 1);
    assert.equal(window.cpuCores(), undefined);
  });
});

describe('quantile', () => {
  const of = (bounds: readonly number[], counts: readonly number[]): Parameters<typeof quantile>[0] => ({
    ...noTraffic,
    bounds,
    counts,
  });

  test('interpolates within the bucket', () => {
    assert.equal(quantile(of([1, 2, infinity], [10, 10, 0]), 0.5), 1);
    assert.equal(quantile(of([1, 2, infinity], [10, 10, 0]), 0.75), 1.5);
    assert.equal(quantile(of([1, 2, infinity], [0, 0, 5]), 0.5), 2);
    assert.equal(quantile(of([1, 2, infinity], [0, 0, 0]), 0.5), undefined);
    assert.equal(quantile(noTraffic, 0.5), undefined);
  });

  test('lies in the bucket of the true quantile', () => {
    const bounds = [0.01, 0.1, 1, infinity];
    const values = fc.array(fc.double({ min: 0.0001, max: 0.99, noNaN: true }), {
      minLength: 1,
      maxLength: 50,
    });
    fc.assert(
      fc.property(values, fc.constantFrom(0.5, 0.9, 0.95), (all, q) => {
        const counts = bounds.map(
          (bound, at) => all.filter((v) => v <= bound && v > (bounds[at - 1] ?? 0)).length,
        );
        const found = quantile(of(bounds, counts), q) as number;
        const exact = all.toSorted((a, b) => a - b)[Math.ceil(q * all.length) - 1] as number;
        const bucket = bounds.findIndex((bound) => exact <= bound);
        assert.ok(
          found <= (bounds[bucket] as number) && found >= (bounds[bucket - 1] ?? 0),
          `${found} for ${exact}`,
        );
      }),
    );
  });

  test('of instances together is that of all their requests', () => {
    const a = { ...of([1, infinity], [3, 1]), requests: 4, errors: 1, seconds: 10 };
    const b = { ...of([1, 2, infinity], [1, 2, 0]), requests: 3, errors: 0, seconds: 8 };
    assert.deepEqual(addTraffic(a, b), {
      requests: 7,
      errors: 1,
      seconds: 10,
      bounds: [1, 2, infinity],
      counts: [4, 2, 1],
    });
  });
});
