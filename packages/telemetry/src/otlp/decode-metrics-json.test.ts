import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMetrics } from './decode-metrics.ts';
import { decodeMetricsJson } from './decode-metrics-json.ts';
import { MetricStreams } from './metric-streams.ts';
import { metricsJson } from './testing/metrics-json.ts';
import { metricsRequest, type TestMetric, type TestPoint } from './testing/metrics-request.ts';

const resource = { 'service.name': 'shop', 'service.instance.id': 'a' };

const count = fc.nat(1000);
const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e9, max: 1e9 });
const side = fc.tuple(fc.integer({ min: -20, max: 20 }), fc.array(count, { maxLength: 5 }));
const attributes = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'));

const ofKind: Readonly<Record<TestMetric['kind'], fc.Arbitrary<Partial<TestPoint>>>> = {
  gauge: fc.record({ value: number }),
  sum: fc.record({ value: number }),
  histogram: fc.record({
    count,
    sum: number,
    buckets: fc.array(count, { maxLength: 4 }),
    bounds: fc.constant([1, 2, 3]),
  }),
  exponential: fc.record({
    count,
    sum: number,
    scale: fc.integer({ min: -12, max: 22 }),
    zeroCount: count,
    positive: side,
    negative: side,
  }),
  summary: fc.record({
    count,
    sum: number,
    quantiles: fc.array(fc.tuple(fc.double({ min: 0, max: 1 }), number), { maxLength: 3 }),
  }),
};

const metric = fc
  .constantFrom<TestMetric['kind']>('gauge', 'sum', 'histogram', 'exponential', 'summary')
  .chain((kind) =>
    fc.record({
      name: fc.constantFrom('orders', 'queue.length'),
      unit: fc.constantFrom('', 's', 'By'),
      kind: fc.constant(kind),
      temporality: fc.constantFrom<'delta' | 'cumulative'>('delta', 'cumulative'),
      monotonic: fc.boolean(),
      points: fc.array(
        fc
          .tuple(attributes, fc.nat(50), fc.nat(50), fc.constantFrom(0, 1), ofKind[kind])
          .map(([own, startMs, lasted, flags, point]): TestPoint => {
            return {
              attributes: own,
              startMs: 1000 + startMs,
              timeMs: 1001 + startMs + lasted,
              flags,
              ...point,
            };
          }),
        { maxLength: 4 },
      ),
    }),
  );

test('property: what is said in JSON means what it means in protobuf, and is refused where that is', () => {
  fc.assert(
    fc.property(fc.array(metric, { maxLength: 4 }), (metrics) => {
      const [ofText, ofBytes] = [new MetricStreams(), new MetricStreams()];
      // Twice: the second time there are streams to go on from.
      for (const each of [metrics, metrics]) {
        const text = decodeMetricsJson(metricsJson(resource, each), ofText);
        const bytes = decodeMetrics(metricsRequest(resource, each), ofBytes);
        assert.deepEqual(text.items, bytes.items);
        assert.deepEqual(
          [text.rejected, text.why, text.refusals],
          [bytes.rejected, bytes.why, bytes.refusals],
        );
      }
    }),
    { numRuns: 200 },
  );
});

const sumOf = (point: object, data: object = { aggregationTemporality: 2, isMonotonic: true }): string =>
  JSON.stringify({
    resourceMetrics: [
      {
        scopeMetrics: [
          {
            metrics: [
              { name: 'orders', sum: { dataPoints: [{ timeUnixNano: '2000000000', ...point }], ...data } },
            ],
          },
        ],
      },
    ],
  });

test('64-bit numbers are strings or numbers, enumerations numbers or names, and NaN is a text', () => {
  const valueOf = (text: string): number | undefined => decodeMetricsJson(text).items.at(-1)?.value;
  assert.equal(valueOf(sumOf({ asInt: '42' })), 42);
  assert.equal(valueOf(sumOf({ asInt: 42 })), 42);
  assert.equal(valueOf(sumOf({ asDouble: 'NaN' })), Number.NaN);
  const named = { aggregationTemporality: 'AGGREGATION_TEMPORALITY_DELTA', isMonotonic: true };
  assert.equal(
    decodeMetricsJson(sumOf({ asInt: 1, startTimeUnixNano: '1000000000' }, named)).items.length,
    2,
  );
  const nobody = { aggregationTemporality: 'SOMETHING' };
  assert.match(decodeMetricsJson(sumOf({ asInt: 1 }, nobody)).why, /neither cumulative nor a delta/);
});

test('counts that are no whole numbers are refused, and what is no request of OTLP is an error', () => {
  const histogram = (own: object): string => {
    const dataPoints = [{ timeUnixNano: '2000000000', count: '1', sum: 1, ...own }];
    const metrics = [{ name: 'took', histogram: { aggregationTemporality: 2, dataPoints } }];
    return JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] });
  };
  for (const own of [
    { explicitBounds: [1], bucketCounts: ['many', '0'] },
    { explicitBounds: [1], bucketCounts: [-1, 2] },
    { explicitBounds: ['one'], bucketCounts: [1, 0] },
    { count: '1.5' },
  ])
    assert.equal(decodeMetricsJson(histogram(own)).rejected, 1, JSON.stringify(own));
  assert.throws(() => decodeMetricsJson('{'), { reason: 'BAD_JSON' });
  assert.throws(() => decodeMetricsJson('[]'), { reason: 'BAD_JSON' });
  const deep = '{"arrayValue":{"values":['.repeat(100_000) + ']}}'.repeat(100_000);
  const attributes = `{"resourceMetrics":[{"resource":{"attributes":[{"key":"a","value":${deep}}]}}]}`;
  assert.throws(() => decodeMetricsJson(attributes), { reason: 'BAD_JSON' });
});
