// Requests with metrics as OpenTelemetry's SDKs send them, for tests.
import { writeAttributes } from '../attributes.ts';
import { ProtobufWriter } from '../protobuf-writer.ts';
import type { Attributes } from '../signal.ts';

/** A point as a test writes it. Times are milliseconds since 1970. */
export interface TestPoint {
  readonly attributes?: Attributes;
  readonly startMs?: number;
  readonly timeMs: number;
  readonly value?: number;
  readonly flags?: number;
  readonly count?: number;
  readonly sum?: number;
  readonly buckets?: readonly number[];
  readonly bounds?: readonly number[];
  readonly scale?: number;
  readonly zeroCount?: number;
  readonly positive?: readonly [offset: number, counts: readonly number[]];
  readonly negative?: readonly [offset: number, counts: readonly number[]];
  readonly quantiles?: readonly (readonly [quantile: number, value: number])[];
}

/** A metric as a test writes it. */
export interface TestMetric {
  readonly name: string;
  readonly unit?: string;
  readonly kind: 'gauge' | 'sum' | 'histogram' | 'exponential' | 'summary';
  readonly temporality?: 'delta' | 'cumulative';
  readonly monotonic?: boolean;
  readonly points: readonly TestPoint[];
}

const fields = { gauge: 5, sum: 7, histogram: 9, exponential: 10, summary: 11 } as const;

/** An `ExportMetricsServiceRequest` in protobuf. */
export function metricsRequest(resource: Attributes, metrics: readonly TestMetric[]): Uint8Array {
  const writer = new ProtobufWriter();
  const all = writer.open(1);
  const from = writer.open(1);
  writeAttributes(writer, 1, resource);
  writer.close(from);
  const scope = writer.open(2);
  for (const metric of metrics) writeMetric(writer, metric);
  writer.close(scope);
  writer.close(all);
  return writer.finish();
}

function writeMetric(writer: ProtobufWriter, { name, unit = '', ...metric }: TestMetric): void {
  const start = writer.open(2);
  writer.text(1, name);
  writer.text(3, unit);
  const data = writer.open(fields[metric.kind]);
  for (const point of metric.points) {
    const each = writer.open(1);
    writePoint(writer, metric.kind, point);
    writer.close(each);
  }
  if (metric.temporality !== undefined) writer.uint(2, metric.temporality === 'delta' ? 1 : 2);
  if (metric.monotonic === true) writer.bool(3, true);
  writer.close(data);
  writer.close(start);
}

function writePoint(writer: ProtobufWriter, kind: TestMetric['kind'], point: TestPoint): void {
  const attributes = { gauge: 7, sum: 7, histogram: 9, exponential: 1, summary: 7 }[kind];
  writeAttributes(writer, attributes, point.attributes ?? {});
  if (point.startMs !== undefined) writer.timeUs(2, point.startMs * 1000);
  writer.timeUs(3, point.timeMs * 1000);
  if (point.value !== undefined) writer.double(4, point.value);
  if (point.count !== undefined) writer.fixed64(4, point.count);
  if (point.sum !== undefined) writer.double(5, point.sum);
  if (point.flags !== undefined)
    writer.uint(kind === 'histogram' || kind === 'exponential' ? 10 : 8, point.flags);
  // Not packed, as some write them.
  for (const count of point.buckets ?? []) writer.fixed64(6, count);
  for (const bound of point.bounds ?? []) writer.double(7, bound);
  if (point.scale !== undefined) writer.uint(6, zigzag(point.scale));
  if (point.zeroCount !== undefined) writer.fixed64(7, point.zeroCount);
  writeBuckets(writer, 8, point.positive);
  writeBuckets(writer, 9, point.negative);
  for (const [quantile, value] of point.quantiles ?? []) {
    const each = writer.open(6);
    writer.double(1, quantile);
    writer.double(2, value);
    writer.close(each);
  }
}

function writeBuckets(writer: ProtobufWriter, field: number, buckets: TestPoint['positive']): void {
  if (buckets === undefined) return;
  const [offset, counts] = buckets;
  const start = writer.open(field);
  writer.uint(1, zigzag(offset));
  writer.bytes(2, Uint8Array.from(counts.flatMap(varint)));
  writer.close(start);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}

/** Signed numbers by turns: 0, -1, 1, -2 … */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}
