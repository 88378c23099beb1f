import type { Family } from '../metrics/family.ts';
import type { Histogram } from '../metrics/histogram.ts';
import type { Metric, MetricRegistry } from '../metrics/registry.ts';
import { writeAttributes } from './attributes.ts';
import { ProtobufWriter } from './protobuf-writer.ts';
import type { Attributes } from './signal.ts';

const writer = new ProtobufWriter();
const cumulative = 2;

/**
 * All of a registry as an `ExportMetricsServiceRequest` in protobuf: counters as monotonic sums and histograms with explicit
 * bounds, both cumulative since `startMs`. Times are milliseconds since 1970.
 */
export function encodeMetrics(
  resource: Attributes,
  registry: MetricRegistry,
  { startMs, nowMs }: { readonly startMs: number; readonly nowMs: number },
): Uint8Array {
  const all = writer.open(1);
  const from = writer.open(1);
  writeAttributes(writer, 1, resource);
  writer.close(from);
  const scoped = writer.open(2);
  const scope = writer.open(1);
  writer.text(1, 'heddle');
  writer.close(scope);
  const times = { startUs: Math.floor(startMs * 1000), nowUs: Math.floor(nowMs * 1000) };
  for (const metric of registry.collect()) if (metric.family.all.length > 0) writeMetric(metric, times);
  writer.close(scoped);
  writer.close(all);
  return writer.finish();
}

interface Times {
  readonly startUs: number;
  readonly nowUs: number;
}

function writeMetric({ type, family }: Metric, times: Times): void {
  const metric = writer.open(2);
  writer.text(1, family.name);
  writer.text(2, family.help);
  const data = writer.open(type === 'gauge' ? 5 : type === 'counter' ? 7 : 9);
  if (type === 'histogram') {
    for (const { labelValues, handle } of family.all) writeHistogram(family, labelValues, handle, times);
  } else {
    for (const { labelValues, handle } of family.all) {
      const point = writer.open(1);
      writePoint(family, labelValues, times, 7);
      writer.double(4, handle.value);
      writer.close(point);
    }
  }
  if (type !== 'gauge') writer.uint(2, cumulative);
  if (type === 'counter') writer.bool(3, true);
  writer.close(data);
  writer.close(metric);
}

function writePoint(
  family: Family<unknown>,
  values: readonly string[],
  { startUs, nowUs }: Times,
  labels: number,
): void {
  writer.timeUs(2, startUs);
  writer.timeUs(3, nowUs);
  const attributes = family.labels.map((label, at) => [label, values[at] ?? ''] as const);
  writeAttributes(writer, labels, Object.fromEntries(attributes));
}

function writeHistogram(
  family: Family<Histogram>,
  values: readonly string[],
  histogram: Histogram,
  times: Times,
): void {
  const point = writer.open(1);
  writePoint(family, values, times, 9);
  const { counts, bounds, sum } = histogram;
  writer.fixed64(
    4,
    counts.reduce((total, count) => total + count, 0),
  );
  writer.double(5, sum);
  const buckets = new Uint8Array(counts.length * 8);
  const view = new DataView(buckets.buffer);
  counts.forEach((count, at) => view.setBigUint64(at * 8, BigInt(count), true));
  writer.bytes(6, buckets);
  writer.bytes(7, new Uint8Array(Float64Array.from(bounds).buffer));
  writer.close(point);
}
