import type { NativeHistogram } from '../promql/native-histogram.ts';
import type { Attributes, Resource } from './signal.ts';

/** OpenTelemetry's kinds of metrics. */
export type MetricKind = 'gauge' | 'sum' | 'histogram' | 'exponential histogram' | 'summary';

/** What the numbers of a metric are since: the begin, the point before, or nobody has said. */
export type Temporality = 'cumulative' | 'delta' | 'unspecified';

/** Who says it: with the metric and the attributes of a point, the identity of a stream. */
export interface MetricSource {
  readonly resource: Resource;
  readonly scope: Attributes;
}

/** A number, or what stands in its place, at one time. */
export interface DataPoint {
  readonly attributes: Attributes;
  /** Begin of what it counts, in microseconds since 1970; 0 where it is not said. */
  readonly startUs: number;
  readonly timeUs: number;
  /** The stream has no value any more. */
  readonly ended: boolean;
  /** Of gauges and sums. */
  readonly value: number;
  /** Of histograms of both kinds. Undefined: it cannot be read, for the reason in `unreadable`. */
  readonly histogram?: NativeHistogram | undefined;
  readonly unreadable?: string | undefined;
  /** Of summaries. */
  readonly quantiles?: readonly (readonly [quantile: number, value: number])[];
  /** Of histograms and summaries. */
  readonly count: number;
  /** Undefined where there is none: negative values do not sum up to a counter. */
  readonly sum: number | undefined;
}

/** One metric of a request, as it was said. */
export interface MetricData {
  readonly name: string;
  readonly unit: string;
  readonly kind: MetricKind;
  readonly temporality: Temporality;
  /** Whether a sum only grows. */
  readonly monotonic: boolean;
  readonly points: readonly DataPoint[];
}
