import { NativeHistogram, sameBounds } from '../promql/native-histogram.ts';
import { cumulated, grown, noBounds } from './exponential-bounds.ts';
import type { DataPoint, MetricData, MetricSource } from './metric-data.ts';
import { labelName, labelText, metricName } from './metric-names.ts';
import { fitOf, type MetricStreams, type Stream } from './metric-streams.ts';
import type { Attributes, MetricPoint, Received } from './signal.ts';

/** Points of one metric that were not taken. */
export interface Refusal {
  /** The metric under its name here. */
  readonly metric: string;
  readonly reason: 'invalid' | 'late' | 'too many streams';
  readonly points: number;
}

/** What was taken of a request with metrics. */
export interface ReceivedMetrics extends Received<MetricPoint> {
  readonly refusals: readonly Refusal[];
}

/** The labels of a series, or what is the same of all series of a point. */
type LabelRecord = Readonly<Record<string, string>>;

/**
 * Makes series of Prometheus' kind out of metrics of OpenTelemetry's. What is told as a delta is added up in `streams`; a
 * stream that begins, or begins anew, gets a zero just after its begin, so that nothing of its first value is lost to `rate`.
 */
export class PointBatch implements ReceivedMetrics {
  readonly items: MetricPoint[] = [];
  readonly refusals: Refusal[] = [];
  rejected = 0;
  why = '';
  readonly #streams: MetricStreams;

  constructor(streams: MetricStreams) {
    this.#streams = streams;
  }

  add(source: MetricSource, metric: MetricData): void {
    const name = metricName(metric.name, metric.unit, metric.kind === 'sum' && metric.monotonic);
    const counts = metric.kind !== 'gauge' && metric.kind !== 'summary';
    if (counts && metric.temporality === 'unspecified') {
      const why = `a ${metric.kind} that is neither cumulative nor a delta`;
      this.#refuse(name, 'invalid', why, metric.points.length);
      return;
    }
    const identity =
      metric.kind === 'exponential histogram' || metric.temporality === 'delta'
        ? identityOf(source, metric)
        : '';
    for (const point of metric.points) {
      const series = new PointSeries(this.items, name, labelsOf(source, point), point);
      const wrong = whatIsWrong(metric, point);
      if (wrong !== undefined) this.#refuse(name, 'invalid', wrong);
      else if (identity === '') series.plain(metric);
      else this.#follow(identity + textOfAttributes(point.attributes), metric, point, series);
    }
  }

  /** A point that has to do with the one before it. */
  #follow(identity: string, metric: MetricData, point: DataPoint, series: PointSeries): void {
    const known = this.#streams.get(identity);
    if (point.ended) {
      series.end(known);
      return;
    }
    const delta = metric.temporality === 'delta';
    let fit = known === undefined ? 'restarts' : delta ? fitOf(known, point) : 'follows';
    if (fit === 'late') {
      const why = 'a delta that ends no later than the one before it';
      this.#refuse(series.name, 'late', why);
      return;
    }
    if (delta && known !== undefined && !sameShape(known, point)) fit = 'restarts';
    const base = delta && fit === 'follows' ? known : undefined;
    const next = streamOf(known, base, point, metric);
    if (!this.#streams.keep(identity, next)) {
      this.#refuse(series.name, 'too many streams', 'one more stream than can be added up here');
      return;
    }
    // A sum that also falls is a level, which does not begin at zero.
    if (delta && fit === 'restarts' && (metric.kind !== 'sum' || metric.monotonic)) series.zero(next, known);
    series.show(next, known);
  }

  #refuse(metric: string, reason: Refusal['reason'], what: string, points = 1): void {
    if (points === 0) return;
    this.rejected += points;
    this.refusals.push({ metric, reason, points });
    if (this.why === '') this.why = `metric ${metric}: ${what}`;
  }
}

function whatIsWrong({ kind, temporality, monotonic }: MetricData, point: DataPoint): string | undefined {
  const { timeUs, unreadable, value, sum = 0 } = point;
  if (timeUs === 0) return 'a point without a time';
  if (unreadable !== undefined || temporality !== 'delta') return unreadable;
  // It would be in all that is added to it.
  if (!Number.isFinite(value) || !Number.isFinite(sum)) return 'a delta that is no finite number';
  return kind === 'sum' && monotonic && value < 0 ? 'a counter that falls' : undefined;
}

function sameShape(known: Stream, { histogram }: DataPoint): boolean {
  if (known.histogram === undefined || histogram === undefined) return known.histogram === histogram;
  if (known.histogram.custom !== histogram.custom) return false;
  return !histogram.custom || sameBounds(known.histogram.bounds, histogram.bounds);
}

/** The stream with a point that is added to `base`, or with which it begins. */
function streamOf(
  known: Stream | undefined,
  base: Stream | undefined,
  point: DataPoint,
  metric: MetricData,
): Stream {
  const exponential = metric.kind === 'exponential histogram';
  const added =
    base?.histogram === undefined || point.histogram === undefined
      ? point.histogram
      : base.histogram.plus(point.histogram);
  const bounds = exponential && added !== undefined ? grown(known?.bounds ?? noBounds, added) : undefined;
  const histogram = bounds === undefined ? added : added?.reduced(bounds.scale);
  return {
    startUs: base?.startUs ?? point.startUs,
    lastUs: point.timeUs,
    value: (base?.value ?? 0) + point.value,
    count: (base?.count ?? 0) + point.count,
    sum: base === undefined ? point.sum : sumOf(base.sum, point.sum),
    histogram,
    bounds,
    series: histogram === undefined ? 1 : bucketsOf(histogram, bounds).length + 3,
  };
}

function sumOf(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

type Buckets = readonly (readonly [le: number, count: number])[];

function bucketsOf(histogram: NativeHistogram, bounds: Stream['bounds']): Buckets {
  if (bounds !== undefined) return cumulated(histogram, bounds);
  let total = 0;
  return histogram.bounds.map((le, at) => {
    total += histogram.positive.get(at) ?? 0;
    return [le, total] as const;
  });
}

/** The series of one point. */
class PointSeries {
  readonly name: string;
  readonly #items: MetricPoint[];
  readonly #labels: LabelRecord;
  readonly #point: DataPoint;

  constructor(items: MetricPoint[], name: string, labels: LabelRecord, point: DataPoint) {
    this.#items = items;
    this.name = name;
    this.#labels = labels;
    this.#point = point;
  }

  #add(suffix: string, value: number | undefined, more?: LabelRecord, timeUs = this.#point.timeUs): void {
    const labels = { ...this.#labels, ...more, __name__: `${this.name}${suffix}` };
    this.#items.push({ labels, timeMs: timeUs / 1000, value: this.#point.ended ? undefined : value });
  }

  #bucket(le: number, count: number | undefined, timeUs = this.#point.timeUs): void {
    this.#add('_bucket', count, { le: le === Number.POSITIVE_INFINITY ? '+Inf' : String(le) }, timeUs);
  }

  /** A point that needs no other to be understood. */
  plain({ kind }: MetricData): void {
    const { value, quantiles = [], histogram, count, sum } = this.#point;
    if (kind === 'gauge' || kind === 'sum') {
      this.#add('', value);
      return;
    }
    for (const [quantile, each] of quantiles) this.#add('', each, { quantile: String(quantile) });
    if (histogram !== undefined) {
      for (const [le, below] of bucketsOf(histogram, undefined)) this.#bucket(le, below);
      this.#bucket(Number.POSITIVE_INFINITY, count);
    }
    if (sum !== undefined) this.#add('_sum', sum);
    this.#add('_count', count);
  }

  /** What the stream amounts to. Buckets that there were before and are no more end. */
  show({ value, histogram, bounds, count, sum }: Stream, known: Stream | undefined): void {
    if (histogram === undefined) {
      this.#add('', value);
      return;
    }
    const buckets = bucketsOf(histogram, bounds);
    if (known?.histogram !== undefined)
      this.#change(known.histogram, known.bounds, buckets, { bounds, lastUs: known.lastUs });
    for (const [le, below] of buckets) this.#bucket(le, below);
    this.#bucket(Number.POSITIVE_INFINITY, count);
    if (sum !== undefined) this.#add('_sum', sum);
    this.#add('_count', count);
  }

  /** Buckets that are new have what they would have had at the time of the point before: their counting begins there. */
  #change(
    before: NativeHistogram,
    known: Stream['bounds'],
    now: Buckets,
    { bounds, lastUs }: Pick<Stream, 'bounds' | 'lastUs'>,
  ): void {
    if (known === bounds) return;
    const had = new Set(bucketsOf(before, known).map(([le]) => le));
    const has = new Set(now.map(([le]) => le));
    for (const le of had) if (!has.has(le)) this.#bucket(le, undefined);
    if (bounds === undefined) return;
    for (const [le, below] of cumulated(before, bounds)) if (!had.has(le)) this.#bucket(le, below, lastUs);
  }

  /** Nothing, just after a stream has begun: after its begin, and after whatever the one before it has said. */
  zero(begun: Stream, known: Stream | undefined): void {
    const { startUs } = this.#point;
    if (startUs === 0 && known === undefined) return;
    const afterMs = Math.floor(Math.max(startUs, known?.lastUs ?? 0) / 1000) + 1;
    if (afterMs >= Math.floor(this.#point.timeUs / 1000)) return;
    const none = { ...begun, value: 0, count: 0, sum: begun.sum === undefined ? undefined : 0 };
    const empty =
      begun.histogram &&
      new NativeHistogram({ schema: begun.histogram.schema, bounds: begun.histogram.bounds });
    const at = { ...this.#point, timeUs: afterMs * 1000 };
    new PointSeries(this.#items, this.name, this.#labels, at).show({ ...none, histogram: empty }, undefined);
  }

  /** Its sender has no value any more. */
  end(known: Stream | undefined): void {
    if (known !== undefined) this.show(known, undefined);
  }
}

function labelsOf({ resource }: MetricSource, { attributes }: DataPoint): LabelRecord {
  const labels: Record<string, string> = { job: resource.service };
  const { 'service.instance.id': instance } = resource.attributes;
  if (typeof instance === 'string') labels['instance'] = instance;
  for (const [key, each] of Object.entries(attributes)) labels[labelName(key)] = labelText(each);
  return labels;
}

/** Of all that a stream has in common with others of its metric; attributes of its points come after it. */
function identityOf({ resource, scope }: MetricSource, metric: MetricData): string {
  const { name, unit, kind, temporality, monotonic } = metric;
  const facts = JSON.stringify([name, unit, kind, temporality, monotonic]);
  return textOfAttributes(resource.attributes) + textOfAttributes(scope) + facts;
}

function textOfAttributes(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
