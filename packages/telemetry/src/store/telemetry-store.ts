import { HeddleError, type Part, type Runtime, type Timer } from '@heddle/kernel';
import { decodeLogsJson, decodeTracesJson } from '../otlp/decode-json.ts';
import { decodeLogs } from '../otlp/decode-logs.ts';
import { decodeTraces } from '../otlp/decode-traces.ts';
import type { OtlpSink, RawRequest } from '../otlp/otlp-service.ts';
import type { LogData, MetricPoint, Received, SpanData } from '../otlp/signal.ts';
import { EdgeTally, mergeEdges } from './edge-tally.ts';
import type { History, HistoryBatch } from './history.ts';
import type { Edge, LogQuery, SpanQuery, TelemetryReader, Trace } from './query.ts';
import { SpanRing } from './span-ring.ts';
import { WriteAheadLog } from './write-ahead-log.ts';

/** What a `TelemetryStore` is made from. */
export interface TelemetryStoreOptions {
  readonly runtime: Runtime;
  readonly history: History;
  /** Takes metrics that come by OTLP. Default: they are refused. */
  readonly metrics?: (points: readonly MetricPoint[]) => Promise<void>;
  /** Folder of the write-ahead log below the runtime's disk. Default `telemetry/wal`. */
  readonly folder?: string;
  /** Spans in memory for live views; a power of two. Default 65,536. */
  readonly ring?: number;
  /** The longest that something waits to be moved from the log to the history. Default 500 ms. */
  readonly everyMs?: number;
  /** Default 7 days. */
  readonly retentionMs?: number;
  /** Size of the history. Default 2 GiB. */
  readonly maxBytes?: number;
  /** Acknowledge only what survives a power cut too. Default false: what survives the death of the process. */
  readonly sync?: boolean;
}

const kinds = ['traces protobuf', 'traces json', 'logs protobuf', 'logs json'];
// A sender is told to wait when so much waits here; and so much is moved on at once, since what waits is held in memory too.
const mostPending = 50_000;
const enoughPending = 20_000;
const retainEveryMs = 60_000;

interface Pending {
  spans: SpanData[];
  logs: LogData[];
}

/**
 * The built-in store of traces and logs: what comes is written ahead, shown at once out of memory, and moved to the
 * history in batches. What was acknowledged is kept exactly once, whenever the process dies.
 */
export class TelemetryStore implements OtlpSink, TelemetryReader, Part {
  readonly name = 'telemetry store';
  readonly #runtime: Runtime;
  readonly #options: TelemetryStoreOptions;
  readonly #history: History;
  readonly #ring: SpanRing;
  readonly #edges = new EdgeTally();
  readonly #log: WriteAheadLog;
  #pending: Pending = { spans: [], logs: [] };
  #appending = 0;
  #idle: (() => void) | undefined;
  #turning: Promise<void> | undefined;
  #flushing: Promise<void> | undefined;
  #timer: Timer | undefined;
  #retainedMs = Number.NEGATIVE_INFINITY;
  #segments = 0;
  readonly #run: string;

  constructor(options: TelemetryStoreOptions) {
    const { runtime, history, folder = 'telemetry/wal', ring, sync } = options;
    this.#runtime = runtime;
    this.#options = options;
    this.#history = history;
    this.#ring = new SpanRing(ring);
    // Ordered by time, for whoever looks at the folder; unique whatever the clock does.
    this.#run = `${Math.floor(runtime.clock.wallMs())}-${runtime.random.uuid()}`;
    this.#log = new WriteAheadLog(runtime.disk, folder, this.#nextSegment(), sync);
  }

  #nextSegment(): string {
    this.#segments++;
    return `${this.#run}-${String(this.#segments).padStart(8, '0')}`;
  }

  /** Takes in what an earlier process has left in its log. */
  async start(): Promise<void> {
    this.#ring.begin(this.#runtime.clock.wallMs() * 1000);
    for (const segment of await this.#log.segments()) {
      const batch = batchOf(segment, await this.#log.read(segment));
      for (const span of batch.spans) this.#edges.add(span);
      await this.#history.write({ ...batch, edges: this.#edges.take() });
      await this.#log.remove(segment);
    }
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#flushing;
    await this.flush();
    await this.#log.close();
    await this.#history.close();
  }

  async spans(received: Received<SpanData>, raw: RawRequest): Promise<void> {
    await this.#accept(raw, received.items.length, () => {
      for (const span of received.items) {
        this.#pending.spans.push(span);
        this.#ring.add(span);
        this.#edges.add(span);
      }
    });
  }

  async logs(received: Received<LogData>, raw: RawRequest): Promise<void> {
    await this.#accept(raw, received.items.length, () => {
      for (const line of received.items) this.#pending.logs.push(line);
    });
  }

  async metrics(received: Received<MetricPoint>): Promise<void> {
    const take = this.#options.metrics;
    if (take === undefined) {
      const message = 'this store keeps no metrics';
      throw new HeddleError({ code: 'unimplemented', reason: 'UNSUPPORTED', message, sent: false });
    }
    await take(received.items);
  }

  async trace(traceId: string): Promise<readonly SpanData[]> {
    await this.flush();
    return this.#history.trace(traceId);
  }

  /** Out of memory where that holds all of the time asked for. */
  async search(query: SpanQuery): Promise<readonly Trace[]> {
    if (query.fromUs >= this.#ring.holdsSinceUs) return this.#ring.search(query);
    await this.flush();
    return this.#history.search(query);
  }

  async lines(query: LogQuery): Promise<readonly LogData[]> {
    await this.flush();
    return this.#history.lines(query);
  }

  async services(): Promise<readonly string[]> {
    const known = await this.#history.services();
    return [...new Set([...known, ...this.#ring.operations().keys()])].toSorted();
  }

  async operations(service: string): Promise<readonly string[]> {
    const known = await this.#history.operations(service);
    return [...new Set([...known, ...(this.#ring.operations().get(service) ?? [])])].toSorted();
  }

  async edges(fromUs: number, toUs: number): Promise<readonly Edge[]> {
    await this.flush();
    return mergeEdges([...(await this.#history.edges(fromUs, toUs)), ...this.#edges.peek(fromUs, toUs)]);
  }

  /** What is only in the log and in memory. */
  get #behind(): number {
    const size = ({ spans, logs }: Pick<HistoryBatch, 'spans' | 'logs'>): number =>
      spans.length + logs.length;
    return this.#failed.reduce((sum, batch) => sum + size(batch), size(this.#pending));
  }

  async #accept({ signal, encoding, bytes }: RawRequest, count: number, keep: () => void): Promise<void> {
    // One that is large for itself is taken when nothing else waits: it would be refused for ever.
    const behind = this.#behind;
    if (behind > 0 && behind + count > mostPending) throw tooMuch();
    // A segment is turned when nothing is on its way into it, so that all of its records move on together.
    while (this.#turning !== undefined) await this.#turning;
    this.#appending++;
    try {
      await this.#log.append({ kind: kinds.indexOf(`${signal} ${encoding}`), bytes });
      keep();
    } finally {
      this.#appending--;
      if (this.#appending === 0) this.#idle?.();
    }
    const waiting = this.#pending.spans.length + this.#pending.logs.length;
    if (waiting >= enoughPending && this.#flushing === undefined) this.#flushSoon();
    this.#timer ??= this.#runtime.timers.after(this.#options.everyMs ?? 500, () => this.#flushSoon());
  }

  #flushSoon(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    void this.flush().catch((thrown: unknown) => this.#trouble(thrown));
  }

  /** Moves what is in the log to the history. Rejects if that cannot be done; it is all still there then. */
  async flush(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
    if (this.#pending.spans.length + this.#pending.logs.length === 0 && this.#appending === 0) return;
    this.#flushing = this.#flush().finally(() => {
      this.#flushing = undefined;
    });
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    const segment = this.#log.segment;
    const { spans, logs } = await this.#turn();
    const edges = this.#edges.take();
    try {
      await this.#history.write({ segment, spans, logs, edges });
    } catch (thrown) {
      this.#failed.push({ segment, spans, logs, edges });
      throw thrown;
    }
    await this.#log.remove(segment);
    await this.#again();
    await this.#retain();
  }

  // What the history did not take: tried again after the next that it does.
  readonly #failed: HistoryBatch[] = [];

  async #again(): Promise<void> {
    for (let batch = this.#failed[0]; batch !== undefined; batch = this.#failed[0]) {
      await this.#history.write(batch);
      await this.#log.remove(batch.segment);
      this.#failed.shift();
    }
  }

  /** Begins a new segment. Gives what the old one holds. */
  async #turn(): Promise<Pending> {
    let turned: () => void = () => {};
    this.#turning = new Promise((resolve) => {
      turned = resolve;
    });
    try {
      if (this.#appending > 0)
        await new Promise<void>((resolve) => {
          this.#idle = resolve;
        });
      await this.#log.turn(this.#nextSegment());
      const pending = this.#pending;
      this.#pending = { spans: [], logs: [] };
      return pending;
    } finally {
      this.#idle = undefined;
      this.#turning = undefined;
      turned();
    }
  }

  async #retain(): Promise<void> {
    const { clock } = this.#runtime;
    if (clock.nowMs() - this.#retainedMs < retainEveryMs) return;
    this.#retainedMs = clock.nowMs();
    const { retentionMs = 7 * 86_400_000, maxBytes = 2 * 1024 ** 3 } = this.#options;
    await this.#history.retain({ oldestUs: (clock.wallMs() - retentionMs) * 1000, maxBytes });
  }

  #trouble(thrown: unknown): void {
    const { reason, message } = HeddleError.from(thrown);
    this.#runtime.log('error', 'telemetry could not be moved to the history', { reason, error: message });
  }
}

function batchOf(
  segment: string,
  records: readonly { readonly kind: number; readonly bytes: Uint8Array }[],
): Omit<HistoryBatch, 'edges'> {
  const spans: SpanData[] = [];
  const logs: LogData[] = [];
  for (const { kind, bytes } of records) {
    const text = (): string => new TextDecoder().decode(bytes);
    if (kind === 0) spans.push(...decodeTraces(bytes).items);
    else if (kind === 1) spans.push(...decodeTracesJson(text()).items);
    else if (kind === 2) logs.push(...decodeLogs(bytes).items);
    else if (kind === 3) logs.push(...decodeLogsJson(text()).items);
  }
  return { segment, spans, logs };
}

function tooMuch(): HeddleError {
  const message = `more than ${mostPending} spans and lines wait to be stored; send again in a moment`;
  return new HeddleError({ code: 'unavailable', reason: 'STORE_BEHIND', message, sent: false });
}
