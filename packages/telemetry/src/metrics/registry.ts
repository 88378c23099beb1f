import { HeddleError } from '@heddle/kernel';
import { Counter } from './counter.ts';
import { Family, type FamilyOptions } from './family.ts';
import { Gauge } from './gauge.ts';
import { durationBuckets, Histogram } from './histogram.ts';

/** What a histogram is declared with. */
export interface HistogramOptions extends FamilyOptions {
  /** Ascending upper bounds, in the unit of the metric's name. Default `durationBuckets` (seconds). */
  readonly buckets?: readonly number[];
}

/** A family together with its Prometheus type. */
export type Metric =
  | { readonly type: 'counter'; readonly family: Family<Counter> }
  | { readonly type: 'gauge'; readonly family: Family<Gauge> }
  | { readonly type: 'histogram'; readonly family: Family<Histogram> };

/** All metrics of one process. Names are unique: declaring one twice is a mistake and throws. */
export class MetricRegistry {
  readonly #metrics = new Map<string, Metric>();
  readonly #readers: (() => void)[] = [];
  readonly #capped: Family<Counter>;

  constructor() {
    this.#capped = this.counter({
      name: 'telemetry_capped_labels_total',
      help: 'Label values that were counted as "other" because their label has too many.',
      labels: ['metric', 'label'],
    });
  }

  /** A family of counters. */
  counter(options: FamilyOptions): Family<Counter> {
    return this.#declare('counter', options, () => new Counter());
  }

  /** A family of gauges. */
  gauge(options: FamilyOptions): Family<Gauge> {
    return this.#declare('gauge', options, () => new Gauge());
  }

  /** A family of histograms, all with the same buckets. */
  histogram(options: HistogramOptions): Family<Histogram> {
    const bounds = Float64Array.from(options.buckets ?? durationBuckets);
    return this.#declare('histogram', options, () => new Histogram(bounds));
  }

  /** Calls `read` before every exposition, for values that are kept elsewhere. It must be quick and not throw. */
  beforeExposition(read: () => void): void {
    this.#readers.push(read);
  }

  /** Every metric, up to date, in order of declaration. */
  collect(): readonly Metric[] {
    for (const read of this.#readers) read();
    return [...this.#metrics.values()];
  }

  #declare<T>(type: Metric['type'], options: FamilyOptions, make: () => T): Family<T> {
    if (this.#metrics.has(options.name)) {
      const message = `metric ${options.name} is declared twice in one registry`;
      throw new HeddleError({ code: 'internal', reason: 'METRIC_TWICE', message });
    }
    const family = new Family(options, make, (metric, label) => this.#capped.series(metric, label).inc());
    this.#metrics.set(options.name, { type, family } as unknown as Metric);
    return family;
  }
}
