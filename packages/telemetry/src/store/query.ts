import type { LogData, SpanData } from '../otlp/signal.ts';

/** Which traces are wanted: those with a span for which all of this holds. Times in microseconds since 1970. */
export interface SpanQuery {
  readonly service?: string | undefined;
  /** Name of the span. */
  readonly operation?: string | undefined;
  readonly fromUs: number;
  readonly toUs: number;
  readonly minDurationUs?: number | undefined;
  readonly maxDurationUs?: number | undefined;
  readonly failed?: boolean | undefined;
  /** Attributes of the span or of its resource, as text. */
  readonly tags: Readonly<Record<string, string>>;
  /** Traces in all, the newest first. The filter comes before the limit. */
  readonly limit: number;
}

/** Which lines are wanted. */
export interface LogQuery {
  readonly fromUs: number;
  readonly toUs: number;
  readonly service?: string | undefined;
  /** OpenTelemetry's number; this and above. */
  readonly minSeverity?: number | undefined;
  /** What the line contains, large or small letters alike. */
  readonly text?: string | undefined;
  readonly traceId?: string | undefined;
  /** The newest first. */
  readonly limit: number;
}

/** A span with what is needed to ask for it. */
export interface Trace {
  readonly traceId: string;
  readonly spans: readonly SpanData[];
}

/** Calls of one service to another within a time. */
export interface Edge {
  readonly client: string;
  readonly server: string;
  readonly calls: number;
  readonly failures: number;
  readonly totalUs: number;
  /** Calls by duration, in the buckets of `bucketBoundsUs`. */
  readonly buckets: readonly number[];
}

/** What a store of traces and logs can be asked. */
export interface TelemetryReader {
  /** The spans of a trace by their start; none if there is no such trace. */
  trace(traceId: string): Promise<readonly SpanData[]>;
  search(query: SpanQuery): Promise<readonly Trace[]>;
  services(): Promise<readonly string[]>;
  operations(service: string): Promise<readonly string[]>;
  /** The topology: who has called whom, by the minutes from `fromUs` to `toUs`. */
  edges(fromUs: number, toUs: number): Promise<readonly Edge[]>;
  lines(query: LogQuery): Promise<readonly LogData[]>;
}

/** Upper bounds of the buckets of edges: from 100 µs by the root of two to about 100 s, so a quantile is off by a fifth. */
export const bucketBoundsUs: readonly number[] = Array.from({ length: 41 }, (_, at) => 100 * 2 ** (at / 2));

/** The bucket for a duration; the last one is for all that took longer. */
export function bucketOf(durationUs: number): number {
  if (durationUs <= 100) return 0;
  return Math.min(bucketBoundsUs.length, Math.ceil(2 * Math.log2(durationUs / 100)));
}

/** A quantile (0 to 1) of an edge's durations in microseconds: the middle of its bucket; 0 without calls. */
export function edgeQuantileUs(
  { buckets, calls }: Pick<Edge, 'buckets' | 'calls'>,
  quantile: number,
): number {
  let below = 0;
  for (let at = 0; at < buckets.length; at++) {
    below += buckets[at] ?? 0;
    if (below < quantile * calls || below === 0) continue;
    const upper = bucketBoundsUs[Math.min(at, bucketBoundsUs.length - 1)] as number;
    return at === 0 ? upper / 2 : upper / 2 ** 0.25;
  }
  return 0;
}
