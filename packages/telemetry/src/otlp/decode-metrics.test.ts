import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parsePromQl } from '../promql/parse.ts';
import { queryInstant } from '../promql/evaluate.ts';
import { MetricStore } from '../store/metric-store.ts';
import { decodeMetrics } from './decode-metrics.ts';
import { MetricStreams } from './metric-streams.ts';
import { metricsRequest, type TestMetric, type TestPoint } from './testing/metrics-request.ts';

const resource = { 'service.name': 'shop', 'service.instance.id': 'a' };

function taken(streams: MetricStreams, ...metrics: readonly TestMetric[]): readonly string[] {
  return decodeMetrics(metricsRequest(resource, metrics), streams).items.map(
    ({ labels: { __name__: name, job: _, instance: __, ...labels }, timeMs, value }) => {
      const shown = Object.entries(labels).map(([label, text]) => `${label}=${text}`);
      return `${name}{${shown.join(',')}} ${value} @${timeMs}`;
    },
  );
}

function delta(startMs: number, timeMs: number, value: number, more: Partial<TestMetric> = {}): TestMetric {
  const points: readonly TestPoint[] = [{ startMs, timeMs, value }];
  return { name: 'orders', kind: 'sum', temporality: 'delta', monotonic: true, points, ...more };
}

test('deltas are added up from their begin, where the stream has a zero', () => {
  const streams = new MetricStreams();
  assert.deepEqual(taken(streams, delta(1000, 2000, 3)), [
    'orders_total{} 0 @1001',
    'orders_total{} 3 @2000',
  ]);
  assert.deepEqual(taken(streams, delta(2000, 3000, 4)), ['orders_total{} 7 @3000']);
  // No begin is said: it goes on.
  assert.deepEqual(taken(streams, delta(0, 3500, 1)), ['orders_total{} 8 @3500']);
});

test('behind a gap, and across the end of the one before, adding up begins anew', () => {
  const streams = new MetricStreams();
  taken(streams, delta(1000, 2000, 3));
  assert.deepEqual(taken(streams, delta(5000, 6000, 4)), [
    'orders_total{} 0 @5001',
    'orders_total{} 4 @6000',
  ]);
  assert.deepEqual(taken(streams, delta(5500, 7000, 5)), [
    'orders_total{} 0 @6001',
    'orders_total{} 5 @7000',
  ]);
});

test('a delta that was counted, or comes late, is told and not counted again', () => {
  const streams = new MetricStreams();
  taken(streams, delta(1000, 2000, 3));
  const again = decodeMetrics(metricsRequest(resource, [delta(1000, 2000, 3)]), streams);
  assert.deepEqual(
    [again.items, again.rejected, again.why, again.refusals],
    [
      [],
      1,
      'metric orders_total: a delta that ends no later than the one before it',
      [{ metric: 'orders_total', reason: 'late', points: 1 }],
    ],
  );
  assert.deepEqual(taken(streams, delta(2000, 3000, 1)), ['orders_total{} 4 @3000']);
});

test('streams are told apart by resource, scope, metric and attributes', () => {
  const streams = new MetricStreams();
  const at = (attributes: Record<string, string>, timeMs: number): TestMetric =>
    delta(0, 0, 0, { points: [{ attributes, startMs: timeMs - 1000, timeMs, value: 1 }] });
  taken(streams, at({ a: '1', b: '2' }, 2000));
  assert.deepEqual(taken(streams, at({ b: '2', a: '1' }, 3000)), ['orders_total{b=2,a=1} 2 @3000']);
  assert.equal(taken(streams, at({ a: '1' }, 3000)).at(-1), 'orders_total{a=1} 1 @3000');
  const elsewhere = metricsRequest({ ...resource, 'host.name': 'b' }, [at({ a: '1', b: '2' }, 4000)]);
  assert.equal(decodeMetrics(elsewhere, streams).items.at(-1)?.value, 1);
});

test('a delta of a level is added up, and has no zero to begin with', () => {
  const streams = new MetricStreams();
  const level = { monotonic: false };
  assert.deepEqual(taken(streams, delta(1000, 2000, 3, level)), ['orders{} 3 @2000']);
  assert.deepEqual(taken(streams, delta(2000, 3000, -5, level)), ['orders{} -2 @3000']);
});

test('delta histograms are added up bucket by bucket', () => {
  const streams = new MetricStreams();
  const histogram = (startMs: number, timeMs: number, buckets: number[], sum: number): TestMetric => ({
    name: 'wait',
    unit: 's',
    kind: 'histogram',
    temporality: 'delta',
    points: [{ startMs, timeMs, buckets, bounds: [1, 5], count: buckets.reduce((a, b) => a + b), sum }],
  });
  taken(streams, histogram(1000, 2000, [1, 2, 0], 5));
  assert.deepEqual(taken(streams, histogram(2000, 3000, [4, 0, 1], 12)), [
    'wait_seconds_bucket{le=1} 5 @3000',
    'wait_seconds_bucket{le=5} 7 @3000',
    'wait_seconds_bucket{le=+Inf} 8 @3000',
    'wait_seconds_sum{} 17 @3000',
    'wait_seconds_count{} 8 @3000',
  ]);
  const other = decodeMetrics(
    metricsRequest(resource, [
      {
        ...histogram(3000, 4000, [1], 1),
        points: [{ timeMs: 4000, buckets: [1, 2], bounds: [1, 2], count: 3 }],
      },
    ]),
    streams,
  );
  assert.match(other.why, /2 buckets with 2 bounds; expected one bucket more than bounds/);
});

test('summaries are quantiles, a sum and a count', () => {
  const quantiles = [
    [0.5, 0.2],
    [0.99, 3],
  ] as const;
  const points = [{ timeMs: 2000, count: 7, sum: 4.5, quantiles }];
  assert.deepEqual(taken(new MetricStreams(), { name: 'rpc', unit: 's', kind: 'summary', points }), [
    'rpc_seconds{quantile=0.5} 0.2 @2000',
    'rpc_seconds{quantile=0.99} 3 @2000',
    'rpc_seconds_sum{} 4.5 @2000',
    'rpc_seconds_count{} 7 @2000',
  ]);
});

test('a point without a value ends its series; what can be no number of a metric is refused', () => {
  const streams = new MetricStreams();
  const gauge = (point: TestPoint): TestMetric => ({ name: 'depth', kind: 'gauge', points: [point] });
  assert.deepEqual(taken(streams, gauge({ timeMs: 1000, flags: 1 })), ['depth{} undefined @1000']);
  taken(streams, delta(1000, 2000, 3));
  const ended = delta(0, 0, 0, { points: [{ timeMs: 3000, flags: 1 }] });
  assert.deepEqual(taken(streams, ended), ['orders_total{} undefined @3000']);
  for (const [metric, why] of [
    [gauge({ timeMs: 0, value: 1 }), 'a point without a time'],
    [{ ...delta(1000, 2000, 1), temporality: undefined }, 'a sum that is neither cumulative nor a delta'],
    [delta(2000, 3000, Number.NaN), 'a delta that is no finite number'],
    [delta(2000, 3000, -1), 'a counter that falls'],
  ] as const) {
    const { rejected, why: said } = decodeMetrics(metricsRequest(resource, [metric as TestMetric]), streams);
    assert.deepEqual([rejected, said.split(': ')[1]], [1, why]);
  }
});

test('streams are bounded: further ones are refused by name, until others have been silent for five minutes', () => {
  const streams = new MetricStreams({ maxSeries: 2 });
  const named = (name: string, timeMs: number): TestMetric => delta(timeMs - 1000, timeMs, 1, { name });
  const all = decodeMetrics(
    metricsRequest(
      resource,
      ['a', 'b', 'c', 'd'].map((name) => named(name, 2000)),
    ),
    streams,
  );
  assert.deepEqual(
    all.refusals.map(({ metric, reason, points }) => [metric, reason, points]),
    [
      ['c_total', 'too many streams', 1],
      ['d_total', 'too many streams', 1],
    ],
  );
  assert.equal(all.rejected, 2);
  taken(streams, named('b', 3000));
  assert.equal(taken(streams, named('c', 302_000)).at(-1), 'c_total{} 1 @302000');
  assert.equal(streams.size, 2);
  // It was forgotten, and begins anew.
  assert.equal(decodeMetrics(metricsRequest(resource, [named('a', 302_000)]), streams).rejected, 1);
});

test('property: whatever comes and gets lost, counters grow by what was taken, and `increase` says so', () => {
  const step = fc.record({ gap: fc.boolean(), twice: fc.boolean(), value: fc.nat(1000) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), fc.nat(29), (steps, restart) => {
      const store = new MetricStore({ keepMs: Number.POSITIVE_INFINITY });
      let streams = new MetricStreams();
      let [timeMs, sum, since] = [10_000, 0, 0];
      steps.forEach(({ gap, twice, value }, at) => {
        // Whoever adds up begins anew, as a control plane does that is started again.
        if (at === restart) [streams, since] = [new MetricStreams(), 0];
        const startMs = timeMs + (gap ? 10_000 : 0);
        timeMs = startMs + 10_000;
        if (gap) since = 0;
        since += value;
        sum += value;
        const request = metricsRequest(resource, [delta(startMs, timeMs, value)]);
        for (let sent = 0; sent < (twice ? 2 : 1); sent++) {
          const { items, rejected } = decodeMetrics(request, streams);
          assert.equal(rejected, sent);
          store.push(items);
          if (sent === 0) assert.equal(items.at(-1)?.value, since);
        }
      });
      // All resets are seen: what is between the first zero and the last value is what was sent.
      const all = store.select(ofName('orders_total'), 0, timeMs)[0];
      assert.equal(increaseOf(Array.from(all?.values ?? []) as number[]), sum);
    }),
  );
});

function ofName(name: string): Parameters<MetricStore['select']>[0] {
  return [{ name: '__name__', kind: '=', value: name, matches: (value) => value === name }];
}

/** As Prometheus counts it: a value below the one before was counted from zero. */
function increaseOf(values: readonly number[]): number {
  return values.slice(1).reduce((sum, value, at) => {
    const before = values[at] as number;
    return sum + (value < before ? value : value - before);
  }, 0);
}

function exponential(
  point: Partial<TestPoint>,
  temporality: TestMetric['temporality'] = 'delta',
): TestMetric {
  return { name: 'wait', kind: 'exponential', temporality, points: [{ timeMs: 2000, ...point }] };
}

test('exponential histograms become buckets four to a power of two, with those that were there before', () => {
  const streams = new MetricStreams();
  // Scale 3: the buckets (1, 2^(1/8)] and (2^(1/8), 2^(1/4)] are one here.
  const first = exponential({
    startMs: 1000,
    scale: 3,
    count: 9,
    sum: 20,
    zeroCount: 2,
    positive: [0, [1, 2]],
    negative: [7, [4]],
  });
  assert.deepEqual(taken(streams, first).slice(8), [
    'wait_bucket{le=-2} 0 @2000',
    'wait_bucket{le=-1.681792830507429} 4 @2000',
    'wait_bucket{le=0} 6 @2000',
    'wait_bucket{le=1} 6 @2000',
    'wait_bucket{le=1.189207115002721} 9 @2000',
    'wait_bucket{le=+Inf} 9 @2000',
    'wait_sum{} 20 @2000',
    'wait_count{} 9 @2000',
  ]);
  const second = exponential({ startMs: 2000, timeMs: 3000, scale: 2, count: 5, sum: 8, positive: [1, [5]] });
  assert.deepEqual(taken(streams, second), [
    // New, with what it would have had before.
    'wait_bucket{le=1.4142135623730951} 9 @2000',
    'wait_bucket{le=-2} 0 @3000',
    'wait_bucket{le=-1.681792830507429} 4 @3000',
    'wait_bucket{le=0} 6 @3000',
    'wait_bucket{le=1} 6 @3000',
    'wait_bucket{le=1.189207115002721} 9 @3000',
    'wait_bucket{le=1.4142135623730951} 14 @3000',
    'wait_bucket{le=+Inf} 14 @3000',
    'wait_sum{} 28 @3000',
    'wait_count{} 14 @3000',
  ]);
});

test('a coarser exponential histogram ends the buckets that it does not have', () => {
  const streams = new MetricStreams();
  const at = { count: 2, sum: 3 };
  taken(streams, exponential({ ...at, scale: 1, positive: [0, [1, 1]] }, 'cumulative'));
  const coarser = taken(
    streams,
    exponential({ ...at, timeMs: 3000, scale: 0, positive: [0, [2]] }, 'cumulative'),
  );
  assert.deepEqual(coarser, [
    'wait_bucket{le=1.4142135623730951} undefined @3000',
    'wait_bucket{le=0} 0 @3000',
    'wait_bucket{le=1} 0 @3000',
    'wait_bucket{le=2} 2 @3000',
    'wait_bucket{le=+Inf} 2 @3000',
    'wait_sum{} 3 @3000',
    'wait_count{} 2 @3000',
  ]);
});

test('what no exponential histogram is, is refused', () => {
  for (const [point, why] of [
    [{ scale: 21 }, 'scale 21; expected -10 to 20'],
    [{ scale: 2, positive: [5000, [1]] }, 'buckets beyond the range of numbers'],
    [
      { scale: 2, positive: [0, Array.from({ length: 5000 }, () => 1)] },
      '5000 buckets; expected at most 4096',
    ],
  ] as const) {
    const { rejected, why: said } = decodeMetrics(metricsRequest(resource, [exponential(point)]));
    assert.deepEqual([rejected, said], [1, `metric wait: ${why}`]);
  }
});

test('property: a quantile of an exponential histogram is off by the fourth root of two at most, over forty powers of two', () => {
  const values = fc.array(fc.double({ min: 2 ** -15, max: 2 ** 15, noNaN: true }), {
    minLength: 1,
    maxLength: 80,
  });
  fc.assert(
    fc.property(
      values,
      fc.integer({ min: 2, max: 10 }),
      fc.constantFrom(0.1, 0.5, 0.9, 0.99),
      (all, scale, q) => {
        const store = new MetricStore({ keepMs: Number.POSITIVE_INFINITY });
        const buckets = new Map<number, number>();
        for (const value of all) {
          const at = Math.ceil(Math.log2(value) * 2 ** scale) - 1;
          buckets.set(at, (buckets.get(at) ?? 0) + 1);
        }
        const streams = new MetricStreams();
        // Each bucket as a delta of its own.
        let timeMs = 1000;
        for (const [offset, count] of buckets) {
          const point = {
            startMs: timeMs,
            timeMs: timeMs + 1000,
            scale,
            count,
            positive: [offset, [count]],
          } as const;
          store.push(decodeMetrics(metricsRequest(resource, [exponential(point)]), streams).items);
          timeMs += 1000;
        }
        const asked = parsePromQl(`histogram_quantile(${q}, wait_bucket)`);
        const answer = queryInstant(store, asked, { startMs: timeMs, endMs: timeMs, stepMs: 0 });
        const found = answer.type === 'vector' ? (answer.elements[0]?.value as number) : Number.NaN;
        const exact = all.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(q * all.length) - 1)] as number;
        const off = Math.max(found / exact, exact / found);
        assert.ok(off <= 2 ** 0.25 * 1.000_001, `${found} for ${exact}`);
      },
    ),
  );
});
