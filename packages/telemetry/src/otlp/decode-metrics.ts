import { readAttribute, readResource, unknownResource } from './attributes.ts';
import { type ExponentialSide, explicitData, exponentialData, noBuckets } from './histogram-data.ts';
import type { DataPoint, MetricData, MetricKind, MetricSource, Temporality } from './metric-data.ts';
import { PointBatch, type ReceivedMetrics } from './metric-points.ts';
import { MetricStreams } from './metric-streams.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import type { Attributes, AttributeValue, Resource } from './signal.ts';

/**
 * The numbers of an `ExportMetricsServiceRequest` in protobuf, under Prometheus' names (OpenTelemetry's specification
 * of Prometheus compatibility): dots become `_`, counters end in `_total`, histograms become buckets, sum and count,
 * summaries quantiles. Deltas and exponential histograms go on from what is in `streams`; without it each request stands alone.
 */
export function decodeMetrics(
  bytes: Uint8Array,
  streams: MetricStreams = new MetricStreams(),
): ReceivedMetrics {
  const reader = new ProtobufReader(bytes);
  const batch = new PointBatch(streams);
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) readResourceMetrics(reader, batch);
    else reader.skip(tag);
  }
  return batch;
}

/** All is read before any is told: a resource may come after what it is the resource of. */
function readResourceMetrics(reader: ProtobufReader, batch: PointBatch): void {
  const resource = unknownResource();
  const found: Scoped[] = [];
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) readResource(reader, resource);
    else if (tag === 18) found.push(readScopeMetrics(reader, resource));
    else reader.skip(tag);
  }
  reader.close(outer);
  for (const { source, metrics } of found) for (const metric of metrics) batch.add(source, metric);
}

interface Scoped {
  readonly source: MetricSource;
  readonly metrics: readonly MetricData[];
}

function readScopeMetrics(reader: ProtobufReader, resource: Resource): Scoped {
  let scope: Attributes = {};
  const metrics: MetricData[] = [];
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) scope = readScope(reader);
    else if (tag === 18) metrics.push(readMetric(reader));
    else reader.skip(tag);
  }
  reader.close(outer);
  return { source: { resource, scope }, metrics };
}

function readScope(reader: ProtobufReader): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  let [name, version] = ['', ''];
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) name = reader.text();
    else if (tag === 18) version = reader.text();
    else if (tag === 26) readAttribute(reader, attributes);
    else reader.skip(tag);
  }
  reader.close(outer);
  return { name, version, attributes };
}

// By the tags of a metric's fields.
const kinds: Readonly<Record<number, MetricKind>> = {
  42: 'gauge',
  58: 'sum',
  74: 'histogram',
  82: 'exponential histogram',
  90: 'summary',
};
const temporalities: readonly Temporality[] = ['unspecified', 'delta', 'cumulative'];

const readers: Readonly<Record<MetricKind, (reader: ProtobufReader) => DataPoint>> = {
  gauge: readNumber,
  sum: readNumber,
  histogram: readHistogram,
  'exponential histogram': readExponential,
  summary: readSummary,
};

function readMetric(reader: ProtobufReader): MetricData {
  let [name, unit] = ['', ''];
  let data: Omit<MetricData, 'name' | 'unit'> | undefined;
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    const kind = kinds[tag];
    if (tag === 10) name = reader.text();
    else if (tag === 26) unit = reader.text();
    else if (kind !== undefined) data = readData(reader, kind);
    else reader.skip(tag);
  }
  reader.close(outer);
  const none = { kind: 'gauge', temporality: 'unspecified', monotonic: false, points: [] } as const;
  return { ...(data ?? none), name, unit };
}

function readData(reader: ProtobufReader, kind: MetricKind): Omit<MetricData, 'name' | 'unit'> {
  const points: DataPoint[] = [];
  let temporality: Temporality = 'unspecified';
  let monotonic = false;
  const read = readers[kind];
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) points.push(read(reader));
    else if (tag === 16) temporality = temporalities[reader.uint()] ?? 'unspecified';
    else if (tag === 24) monotonic = reader.uint() === 1;
    else reader.skip(tag);
  }
  reader.close(outer);
  return { kind, temporality, monotonic, points };
}

type Draft = { -readonly [K in keyof DataPoint]: DataPoint[K] } & {
  readonly attributes: Record<string, AttributeValue>;
};

/** Reads the fields of a point: those that all kinds have, and by `own` those of its kind, which says whether it was one. */
function readPoint(
  reader: ProtobufReader,
  tags: { readonly attributes: number; readonly flags: number },
  own: (tag: number, point: Draft) => boolean,
): Draft {
  const point: Draft = {
    attributes: {},
    startUs: 0,
    timeUs: 0,
    ended: false,
    value: 0,
    count: 0,
    sum: undefined,
  };
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === tags.attributes) readAttribute(reader, point.attributes);
    else if (tag === 17) point.startUs = reader.timeUs();
    else if (tag === 25) point.timeUs = reader.timeUs();
    else if (tag === tags.flags) point.ended = reader.uint() % 2 === 1;
    else if (!own(tag, point)) reader.skip(tag);
  }
  reader.close(outer);
  return point;
}

function readNumber(reader: ProtobufReader): DataPoint {
  return readPoint(reader, { attributes: 58, flags: 64 }, (tag, point) => {
    if (tag === 33) point.value = reader.double();
    else if (tag === 49) point.value = reader.sfixed64();
    else return false;
    return true;
  });
}

/** What histograms and summaries have under the same numbers. */
function readCounted(reader: ProtobufReader, tag: number, point: Draft): boolean {
  if (tag === 33) point.count = reader.fixed64Number();
  else if (tag === 41) point.sum = reader.double();
  else return false;
  return true;
}

function readSummary(reader: ProtobufReader): DataPoint {
  const quantiles: (readonly [number, number])[] = [];
  const point = readPoint(reader, { attributes: 58, flags: 64 }, (tag, draft) => {
    if (tag !== 50) return readCounted(reader, tag, draft);
    quantiles.push(readQuantile(reader));
    return true;
  });
  return { ...point, sum: point.sum ?? 0, quantiles };
}

function readQuantile(reader: ProtobufReader): readonly [quantile: number, value: number] {
  let [quantile, value] = [0, 0];
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 9) quantile = reader.double();
    else if (tag === 17) value = reader.double();
    else reader.skip(tag);
  }
  reader.close(outer);
  return [quantile, value];
}

function readHistogram(reader: ProtobufReader): DataPoint {
  const counts: number[] = [];
  const bounds: number[] = [];
  const point = readPoint(reader, { attributes: 74, flags: 80 }, (tag, draft) => {
    if (tag === 50 || tag === 49) readNumbers(reader, tag, counts, () => reader.fixed64Number());
    else if (tag === 58 || tag === 57) readNumbers(reader, tag, bounds, () => reader.double());
    else return readCounted(reader, tag, draft);
    return true;
  });
  return { ...point, ...explicitData(bounds, counts) };
}

function readExponential(reader: ProtobufReader): DataPoint {
  let [scale, zeroCount, zeroThreshold] = [0, 0, 0];
  let positive = noBuckets;
  let negative = noBuckets;
  const point = readPoint(reader, { attributes: 10, flags: 80 }, (tag, draft) => {
    if (tag === 48) scale = reader.sint();
    else if (tag === 57) zeroCount = reader.fixed64Number();
    else if (tag === 66) positive = readBuckets(reader);
    else if (tag === 74) negative = readBuckets(reader);
    else if (tag === 113) zeroThreshold = reader.double();
    else return readCounted(reader, tag, draft);
    return true;
  });
  return { ...point, ...exponentialData({ scale, zeroCount, zeroThreshold, positive, negative }) };
}

function readBuckets(reader: ProtobufReader): ExponentialSide {
  let offset = 0;
  const counts: number[] = [];
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 8) offset = reader.sint();
    else if (tag === 18 || tag === 16) readNumbers(reader, tag, counts, () => reader.uint());
    else reader.skip(tag);
  }
  reader.close(outer);
  return { offset, counts };
}

/** A repeated field of numbers: as one field of many, or one of many fields. */
function readNumbers(reader: ProtobufReader, tag: number, into: number[], read: () => number): void {
  if (tag % 8 !== 2) {
    into.push(read());
    return;
  }
  const outer = reader.open();
  while (reader.more) into.push(read());
  reader.close(outer);
}
