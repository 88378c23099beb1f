import { readAttribute, readResource, unknownResource } from './attributes.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import type { Attributes, AttributeValue, MetricPoint, Received, Resource } from './signal.ts';

const cumulative = 2;

/**
 * The numbers of an `ExportMetricsServiceRequest` in protobuf, under Prometheus' names (OpenTelemetry's specification
 * of Prometheus compatibility): dots become `_`, counters end in `_total`, histograms become buckets, sum and count.
 * Delta sums and exponential histograms are rejected: a store of cumulative numbers would show them wrongly.
 */
export function decodeMetrics(bytes: Uint8Array): Received<MetricPoint> {
  const reader = new ProtobufReader(bytes);
  const batch = new PointBatch();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) readResourceMetrics(reader, batch);
    else reader.skip(tag);
  }
  return batch;
}

class PointBatch implements Received<MetricPoint> {
  readonly items: MetricPoint[] = [];
  rejected = 0;
  why = '';
  #resource: Resource = unknownResource();

  of(resource: Resource): void {
    this.#resource = resource;
  }

  add(name: string, point: Point, value: number, more: Readonly<Record<string, string>> = {}): void {
    const { service, attributes } = this.#resource;
    const labels: Record<string, string> = { __name__: name, job: service };
    const { 'service.instance.id': instance } = attributes;
    if (typeof instance === 'string') labels['instance'] = instance;
    for (const [key, each] of Object.entries(point.attributes)) labels[labelName(key)] = textOf(each);
    this.items.push({ labels: { ...labels, ...more }, timeMs: point.timeUs / 1000, value });
  }

  reject(name: string, what: string): void {
    this.rejected++;
    if (this.why === '') this.why = `metric ${name}: ${what} cannot be kept here`;
  }
}

interface Point {
  readonly attributes: Attributes;
  readonly timeUs: number;
  readonly value: number;
  readonly count: number;
  readonly sum: number;
  readonly buckets: readonly number[];
  readonly bounds: readonly number[];
}

function readResourceMetrics(reader: ProtobufReader, batch: PointBatch): void {
  const resource = unknownResource();
  batch.of(resource);
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) readResource(reader, resource);
    else if (tag === 18) {
      const scope = reader.open();
      while (reader.more) {
        const field = reader.tag();
        if (field === 18) readMetric(reader, batch);
        else reader.skip(field);
      }
      reader.close(scope);
    } else reader.skip(tag);
  }
  reader.close(outer);
}

interface MetricData {
  readonly points: Point[];
  temporality: number;
  monotonic: boolean;
}

function readMetric(reader: ProtobufReader, batch: PointBatch): void {
  let name = '';
  let unit = '';
  let kind = 0;
  let data: MetricData = { points: [], temporality: cumulative, monotonic: false };
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) name = reader.text();
    else if (tag === 26) unit = reader.text();
    else if (tag === 42 || tag === 58 || tag === 74) {
      kind = tag >> 3;
      data = readData(reader, kind === 9);
    } else {
      if (tag === 82 || tag === 90) kind = tag >> 3;
      reader.skip(tag);
    }
  }
  reader.close(outer);
  tell(batch, metricName(name, unit, kind === 7 && data.monotonic), kind, data);
}

function tell(batch: PointBatch, name: string, kind: number, data: MetricData): void {
  if (kind !== 5 && kind !== 7 && kind !== 9) batch.reject(name, 'a summary or an exponential histogram');
  else if (data.temporality !== cumulative && kind !== 5) batch.reject(name, 'a delta');
  else
    for (const point of data.points)
      if (kind === 9) tellHistogram(batch, name, point);
      else batch.add(name, point, point.value);
}

function tellHistogram(batch: PointBatch, name: string, point: Point): void {
  let total = 0;
  point.buckets.forEach((count, at) => {
    total += count;
    const bound = point.bounds[at];
    batch.add(`${name}_bucket`, point, total, { le: bound === undefined ? '+Inf' : String(bound) });
  });
  batch.add(`${name}_sum`, point, point.sum);
  batch.add(`${name}_count`, point, point.count);
}

function readData(reader: ProtobufReader, histogram: boolean): MetricData {
  const data: MetricData = { points: [], temporality: cumulative, monotonic: false };
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) data.points.push(readPoint(reader, histogram));
    else if (tag === 16) data.temporality = reader.uint();
    else if (tag === 24) data.monotonic = reader.uint() === 1;
    else reader.skip(tag);
  }
  reader.close(outer);
  return data;
}

function readPoint(reader: ProtobufReader, histogram: boolean): Point {
  const attributes: Record<string, AttributeValue> = {};
  let timeUs = 0;
  let value = 0;
  let count = 0;
  let sum = 0;
  let buckets: number[] = [];
  let bounds: number[] = [];
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === (histogram ? 74 : 58)) readAttribute(reader, attributes);
    else if (tag === 25) timeUs = reader.timeUs();
    else if (tag === 33 && histogram) count = reader.fixed64Number();
    else if (tag === 33) value = reader.double();
    else if (tag === 49) value = reader.sfixed64();
    else if (tag === 41 && histogram) sum = reader.double();
    else if (tag === 50 && histogram) buckets = readPacked(reader, () => reader.fixed64Number());
    else if (tag === 58 && histogram) bounds = readPacked(reader, () => reader.double());
    else reader.skip(tag);
  }
  reader.close(outer);
  return { attributes, timeUs, value, count, sum, buckets, bounds };
}

function readPacked(reader: ProtobufReader, read: () => number): number[] {
  const values: number[] = [];
  const outer = reader.open();
  while (reader.more) values.push(read());
  reader.close(outer);
  return values;
}

const units: Readonly<Record<string, string>> = {
  s: 'seconds',
  ms: 'milliseconds',
  By: 'bytes',
  '1': 'ratio',
};

/** Prometheus' name of a metric: legal characters, its unit at the end, and `_total` for what only grows. */
export function metricName(name: string, unit: string, monotonic: boolean): string {
  const plain = name.replaceAll(/[^a-zA-Z0-9_:]/g, '_').replace(/^(?=\d)/, '_');
  const suffix = unit === '1' && monotonic ? undefined : units[unit];
  const withUnit = suffix === undefined || plain.endsWith(suffix) ? plain : `${plain}_${suffix}`;
  return monotonic && !withUnit.endsWith('_total') ? `${withUnit}_total` : withUnit;
}

function labelName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');
}

function textOf(value: AttributeValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
