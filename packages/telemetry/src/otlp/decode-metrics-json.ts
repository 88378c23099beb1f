import {
  attributesOf,
  isObject,
  type JsonObject,
  nanoseconds,
  objects,
  parseRequest,
  resourceOf,
  string,
} from './decode-json.ts';
import { type ExponentialSide, explicitData, exponentialData, isCount, noCount } from './histogram-data.ts';
import type { DataPoint, MetricData, MetricKind, Temporality } from './metric-data.ts';
import { PointBatch, type ReceivedMetrics } from './metric-points.ts';
import { MetricStreams } from './metric-streams.ts';
import type { Attributes } from './signal.ts';

/**
 * The numbers of an `ExportMetricsServiceRequest` in OTLP's JSON, as `decodeMetrics` gives those in protobuf: 64-bit
 * numbers are strings, enumerations are numbers or their names, what is no finite number is `"NaN"` or `"Infinity"`.
 */
export function decodeMetricsJson(
  text: string,
  streams: MetricStreams = new MetricStreams(),
): ReceivedMetrics {
  const batch = new PointBatch(streams);
  for (const resourceMetrics of objects(parseRequest(text)['resourceMetrics'])) {
    const resource = resourceOf(resourceMetrics['resource']);
    for (const scopeMetrics of objects(resourceMetrics['scopeMetrics'])) {
      const source = { resource, scope: scopeOf(scopeMetrics['scope']) };
      for (const metric of objects(scopeMetrics['metrics'])) batch.add(source, metricOf(metric));
    }
  }
  return batch;
}

function scopeOf(scope: unknown): Attributes {
  const { name, version, attributes } = isObject(scope) ? scope : {};
  return { name: string(name), version: string(version), attributes: attributesOf(attributes) };
}

const kinds: Readonly<Record<string, readonly [MetricKind, (point: JsonObject) => Partial<DataPoint>]>> = {
  gauge: ['gauge', numberOf],
  sum: ['sum', numberOf],
  histogram: ['histogram', histogramOf],
  exponentialHistogram: ['exponential histogram', exponentialOf],
  summary: ['summary', summaryOf],
};

function metricOf(metric: JsonObject): MetricData {
  const [name, unit] = [string(metric['name']), string(metric['unit'])];
  for (const [key, [kind, read]] of Object.entries(kinds)) {
    const data = metric[key];
    if (!isObject(data)) continue;
    const points = objects(data['dataPoints']).map((point) => pointOf(point, read(point)));
    const temporality = temporalityOf(data['aggregationTemporality']);
    return { name, unit, kind, temporality, monotonic: data['isMonotonic'] === true, points };
  }
  return { name, unit, kind: 'gauge', temporality: 'unspecified', monotonic: false, points: [] };
}

const temporalities: readonly Temporality[] = ['unspecified', 'delta', 'cumulative'];

function temporalityOf(value: unknown): Temporality {
  const at = typeof value === 'number' ? value : Number(string(value));
  const named = string(value).replace('AGGREGATION_TEMPORALITY_', '').toLowerCase();
  return temporalities[at] ?? temporalities.find((each) => each === named) ?? 'unspecified';
}

function pointOf(point: JsonObject, own: Partial<DataPoint>): DataPoint {
  const count = number(point['count']);
  return {
    attributes: attributesOf(point['attributes']),
    startUs: Number(nanoseconds(point['startTimeUnixNano']) / 1000n),
    timeUs: Number(nanoseconds(point['timeUnixNano']) / 1000n),
    ended: number(point['flags']) % 2 === 1,
    value: 0,
    count,
    sum: point['sum'] === undefined ? undefined : number(point['sum']),
    ...own,
    unreadable: own.unreadable ?? (isCount(count) ? undefined : noCount),
  };
}

function numberOf({ asDouble, asInt }: JsonObject): Partial<DataPoint> {
  return { value: number(asDouble ?? asInt) };
}

function histogramOf({ explicitBounds, bucketCounts }: JsonObject): Partial<DataPoint> {
  return explicitData(numbers(explicitBounds), numbers(bucketCounts));
}

function exponentialOf({
  scale,
  zeroCount,
  zeroThreshold,
  positive,
  negative,
}: JsonObject): Partial<DataPoint> {
  return exponentialData({
    scale: number(scale),
    zeroCount: number(zeroCount),
    zeroThreshold: number(zeroThreshold),
    positive: sideOf(positive),
    negative: sideOf(negative),
  });
}

function sideOf(side: unknown): ExponentialSide {
  const { offset, bucketCounts } = isObject(side) ? side : {};
  return { offset: number(offset), counts: numbers(bucketCounts) };
}

function summaryOf({ quantileValues, sum }: JsonObject): Partial<DataPoint> {
  const quantiles = objects(quantileValues).map(
    ({ quantile, value }) => [number(quantile), number(value)] as const,
  );
  return { sum: number(sum), quantiles };
}

/** A number, or a text that is one; 0 where it is left out, as protobuf has it; else NaN. */
function number(value: unknown): number {
  if (value === undefined || value === null) return 0;
  return typeof value === 'number' || typeof value === 'string' ? Number(value) : Number.NaN;
}

function numbers(value: unknown): readonly number[] {
  return Array.isArray(value) ? value.map(number) : [];
}
