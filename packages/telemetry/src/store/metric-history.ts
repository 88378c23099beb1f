import type { Labels } from '../promql/labels.ts';
import type { Matcher, SeriesData } from '../promql/source.ts';

/** A sample with its series; undefined: the series ended. */
export interface ArchivedSample {
  readonly labels: Labels;
  readonly timeMs: number;
  readonly value: number | undefined;
}

/** What is kept of metrics on disk. One writer. */
export interface MetricHistory {
  /** Resolves when they are kept. */
  writeSamples(samples: readonly ArchivedSample[]): Promise<void>;
  /** Series that meet all matchers, with their samples after `fromMs` and up to `toMs`. */
  samples(matchers: readonly Matcher[], fromMs: number, toMs: number): Promise<readonly SeriesData[]>;
}
