// The same requests in OTLP's JSON.
import type { Attributes } from '../signal.ts';
import type { TestMetric, TestPoint } from './metrics-request.ts';

const keys = {
  gauge: 'gauge',
  sum: 'sum',
  histogram: 'histogram',
  exponential: 'exponentialHistogram',
  summary: 'summary',
} as const;

/** An `ExportMetricsServiceRequest` in JSON, of what `metricsRequest` writes in protobuf. */
export function metricsJson(resource: Attributes, metrics: readonly TestMetric[]): string {
  const scopeMetrics = [{ metrics: metrics.map(metricOf) }];
  return JSON.stringify({ resourceMetrics: [{ resource: { attributes: pairs(resource) }, scopeMetrics }] });
}

function metricOf({ name, unit, kind, temporality, monotonic, points }: TestMetric): object {
  const data = {
    dataPoints: points.map((point) => pointOf(kind, point)),
    ...(temporality !== undefined && { aggregationTemporality: temporality === 'delta' ? 1 : 2 }),
    ...(monotonic === true && { isMonotonic: true }),
  };
  return { name, unit, [keys[kind]]: data };
}

function pointOf(kind: TestMetric['kind'], point: TestPoint): object {
  const { value, count, sum, scale, zeroCount, positive, negative, quantiles = [] } = point;
  return {
    attributes: pairs(point.attributes ?? {}),
    ...(point.startMs !== undefined && { startTimeUnixNano: nano(point.startMs) }),
    timeUnixNano: nano(point.timeMs),
    flags: point.flags,
    asDouble: value === undefined || Number.isFinite(value) ? value : String(value),
    count: count === undefined ? undefined : String(count),
    sum,
    ...(kind === 'histogram' && {
      bucketCounts: (point.buckets ?? []).map(String),
      explicitBounds: point.bounds ?? [],
    }),
    ...(kind === 'exponential' && {
      scale,
      zeroCount: String(zeroCount ?? 0),
      positive: sideOf(positive),
      negative: sideOf(negative),
    }),
    quantileValues: quantiles.map(([quantile, at]) => ({ quantile, value: at })),
  };
}

function sideOf(side: TestPoint['positive']): object | undefined {
  return side && { offset: side[0], bucketCounts: side[1].map(String) };
}

function pairs(attributes: Attributes): readonly object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: { stringValue: value as string } }));
}

function nano(ms: number): string {
  return `${ms}000000`;
}
