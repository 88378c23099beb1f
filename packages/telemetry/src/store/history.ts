import type { LogData, SpanData } from '../otlp/signal.ts';
import type { EdgeMinute } from './edge-tally.ts';
import type { TelemetryReader } from './query.ts';

/** What one segment of the write-ahead log holds. */
export interface HistoryBatch {
  readonly segment: string;
  readonly spans: readonly SpanData[];
  readonly logs: readonly LogData[];
  readonly edges: readonly EdgeMinute[];
}

/** What is kept on disk. One writer. */
export interface History extends TelemetryReader {
  /** Keeps a batch. A segment that has been kept is not kept again, whatever died in between. */
  write(batch: HistoryBatch): Promise<void>;
  /** Forgets what is older, and then the oldest until the rest is no larger. */
  retain(limits: { readonly oldestUs: number; readonly maxBytes: number }): Promise<void>;
  close(): Promise<void>;
}
