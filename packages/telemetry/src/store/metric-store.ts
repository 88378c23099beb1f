import type { MetricPoint } from '../otlp/signal.ts';
import { Labels } from '../promql/labels.ts';
import type { Matcher, SeriesData, SeriesSource } from '../promql/source.ts';
import type { Sample } from '../metrics/parse-exposition.ts';
import type { ArchivedSample } from './metric-history.ts';
import { SampleColumn } from './sample-column.ts';

/** What a `MetricStore` may be told. */
export interface MetricStoreOptions {
  /** How long samples stay in memory. Default 2 hours. */
  readonly keepMs?: number;
  /** Series at a time; what comes beyond is dropped and counted. Default 50,000. */
  readonly maxSeries?: number;
}

const mostNew = 1_000_000;

interface Kept {
  readonly labels: Labels;
  readonly samples: SampleColumn;
}

/**
 * The newest samples of all metrics in typed arrays, for queries. Two guards against series without end: a limit, and
 * that a series which has no sample left is forgotten.
 */
export class MetricStore implements SeriesSource {
  readonly #keepMs: number;
  readonly #maxSeries: number;
  readonly #series = new Map<string, Kept>();
  /** By name: most queries have one. */
  readonly #byName = new Map<string, Set<Kept>>();
  /** By target: what its last scrape had. */
  readonly #present = new Map<string, ReadonlySet<Kept>>();
  #dropped = 0;
  #new: ArchivedSample[] = [];

  constructor({ keepMs = 7_200_000, maxSeries = 50_000 }: MetricStoreOptions = {}) {
    this.#keepMs = keepMs;
    this.#maxSeries = maxSeries;
  }

  /** Series that are kept. */
  get size(): number {
    return this.#series.size;
  }

  /** Samples that were dropped because there were too many series. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Takes what a target has said, or that it has not answered (`undefined`). `target` are the labels that all of its
   * series get; what the target itself says under those names is kept as `exported_…`, as Prometheus does it.
   */
  scrape(
    target: Readonly<Record<string, string>>,
    samples: readonly Sample[] | undefined,
    timeMs: number,
  ): void {
    const key = Labels.of(target).key;
    const now = new Set<Kept>();
    for (const { name, labels, value } of samples ?? []) {
      const all: Record<string, string> = { __name__: name, ...target };
      for (const [label, text] of Object.entries(labels))
        all[Object.hasOwn(target, label) ? `exported_${label}` : label] = text;
      const series = this.#of(Labels.of(all));
      if (series !== undefined && this.#append(series, timeMs, value)) now.add(series);
    }
    for (const before of this.#present.get(key) ?? [])
      if (!now.has(before)) this.#append(before, timeMs, undefined);
    this.#present.set(key, now);
    this.add(Labels.of({ __name__: 'up', ...target }), timeMs, samples === undefined ? 0 : 1);
  }

  /** A target that is no more: its series end. */
  forget(target: Readonly<Record<string, string>>, timeMs: number): void {
    const key = Labels.of(target).key;
    for (const series of this.#present.get(key) ?? []) this.#append(series, timeMs, undefined);
    const up = this.#series.get(Labels.of({ __name__: 'up', ...target }).key);
    if (up !== undefined) this.#append(up, timeMs, undefined);
    this.#present.delete(key);
  }

  /** Takes points that were pushed. */
  push(points: readonly MetricPoint[]): void {
    for (const { labels, timeMs, value } of points) this.add(Labels.of(labels), Math.floor(timeMs), value);
  }

  /** One sample; older than the newest of its series, it is dropped. */
  add(labels: Labels, timeMs: number, value: number | undefined): void {
    const series = this.#of(labels);
    if (series !== undefined) this.#append(series, timeMs, value);
  }

  /** Forgets what is too old. */
  expire(nowMs: number): void {
    for (const [key, series] of this.#series) {
      series.samples.dropUntil(nowMs - this.#keepMs);
      if (series.samples.size > 0) continue;
      this.#series.delete(key);
      const named = this.#byName.get(series.labels.get('__name__'));
      named?.delete(series);
      if (named?.size === 0) this.#byName.delete(series.labels.get('__name__'));
    }
  }

  /** What has come since the last time, for whoever keeps it elsewhere. */
  takeNew(): readonly ArchivedSample[] {
    const taken = this.#new;
    this.#new = [];
    return taken;
  }

  /** A sample that is on disk already. */
  restore(labels: Labels, timeMs: number, value: number | undefined): void {
    this.#of(labels)?.samples.append(timeMs, value);
  }

  select(matchers: readonly Matcher[], fromMs: number, toMs: number): readonly SeriesData[] {
    const found: SeriesData[] = [];
    for (const { labels, samples } of this.#candidates(matchers)) {
      if (!matchers.every(({ name, matches }) => matches(labels.get(name)))) continue;
      const { times, values } = samples.between(fromMs, toMs);
      if (times.length > 0) found.push({ labels, times, values });
    }
    return found;
  }

  #candidates(matchers: readonly Matcher[]): Iterable<Kept> {
    const name = matchers.find((each) => each.name === '__name__' && each.kind === '=');
    return name === undefined ? this.#series.values() : (this.#byName.get(name.value) ?? []);
  }

  #of(labels: Labels): Kept | undefined {
    const known = this.#series.get(labels.key);
    if (known !== undefined) return known;
    if (this.#series.size >= this.#maxSeries) {
      this.#dropped++;
      return undefined;
    }
    const made = { labels, samples: new SampleColumn() };
    this.#series.set(labels.key, made);
    const name = labels.get('__name__');
    const named = this.#byName.get(name);
    if (named === undefined) this.#byName.set(name, new Set([made]));
    else named.add(made);
    return made;
  }

  #append({ labels, samples }: Kept, timeMs: number, value: number | undefined): boolean {
    if (!samples.append(timeMs, value)) return false;
    // Where nobody takes them, they must not gather.
    if (this.#new.length < mostNew) this.#new.push({ labels, timeMs, value });
    return true;
  }
}
