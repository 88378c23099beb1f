import type { EndpointTls } from '@heddle/wire';
import {
  type Address,
  type Log,
  type LogLevel,
  type Part,
  type Runtime,
  type Span,
  type SpanSink,
  type Timer,
} from '@heddle/kernel';
import { encodeLogs, encodeTraces, type LogLine, type Unwritable } from './encode.ts';
import { OtlpPost } from './otlp-post.ts';
import type { Attributes, AttributeValue } from './signal.ts';

/** What `OtlpExporter` may be told. Durations in milliseconds. */
export interface OtlpExporterOptions {
  readonly runtime: Runtime;
  /** Where OTLP is spoken over HTTP, in protobuf; usually port 4318, and with a control plane its own. */
  readonly address: Address;
  /** How to speak TLS with it; undefined: plaintext. */
  readonly tls?: EndpointTls | undefined;
  /** Shown as `authorization: Bearer …`. */
  readonly token?: string | undefined;
  /** Who this process is: `service.name`, `service.instance.id`, `service.version` … */
  readonly resource: Attributes;
  /** See `SpanSink`. Default 0.1. */
  readonly sampleRatio?: number;
  /** See `SpanSink`. Default 1000. */
  readonly slowMs?: number;
  /** Spans, and lines, that wait to be sent at most; one more is dropped and counted. Default 8192. */
  readonly maxQueue?: number;
  /** Default 512 in one request. */
  readonly maxBatch?: number;
  /** The longest that one waits for others. Default 500. */
  readonly everyMs?: number;
  /** The longest that one request may take. Default 5000. */
  readonly timeoutMs?: number;
}

/** What an exporter has done since it was made. */
export interface ExportCounts {
  readonly sent: number;
  /** Lost because the queue was full, the receiver refused them for good, or they cannot be written as OTLP. */
  readonly dropped: number;
  readonly failedRequests: number;
}

type Encode<T> = (resource: Attributes, items: readonly T[], unwritable: Unwritable) => Uint8Array;

const retriable = new Set([408, 429, 502, 503, 504]);
const firstRetryMs = 200;
const lastRetryMs = 5000;

/**
 * Sends spans and log lines out by OTLP, in batches, in the background. The work that is observed never waits: a
 * receiver that is away costs what the queue holds, and then the newest, which `counts` tells.
 *
 * Its own requests are made on a runtime without spans, so that it does not observe itself.
 */
export class OtlpExporter implements SpanSink, Part {
  readonly name = 'telemetry export';
  readonly sampleRatio: number;
  readonly slowMs: number;
  readonly #options: Required<Omit<OtlpExporterOptions, 'token' | 'tls'>> &
    Pick<OtlpExporterOptions, 'token' | 'tls'>;
  readonly #runtime: Runtime;
  readonly #post: OtlpPost;
  #spans: Span[] = [];
  #lines: LogLine[] = [];
  #timer: Timer | undefined;
  #sending: Promise<void> | undefined;
  #stopping = false;
  #failures = 0;
  #sent = 0;
  #dropped = 0;
  #failedRequests = 0;

  constructor(options: OtlpExporterOptions) {
    const defaults = {
      sampleRatio: 0.1,
      slowMs: 1000,
      maxQueue: 8192,
      maxBatch: 512,
      everyMs: 500,
      timeoutMs: 5000,
      token: undefined,
    };
    this.#options = { ...defaults, ...options };
    this.#runtime = { ...options.runtime, spans: undefined };
    this.#post = new OtlpPost(this.#options);
    this.sampleRatio = this.#options.sampleRatio;
    this.slowMs = this.#options.slowMs;
  }

  get counts(): ExportCounts {
    return { sent: this.#sent, dropped: this.#dropped, failedRequests: this.#failedRequests };
  }

  take(span: Span): void {
    if (this.#spans.length >= this.#options.maxQueue) this.#dropped++;
    else if (this.#spans.push(span) >= this.#options.maxBatch) this.#flushSoon(0);
    else this.#flushSoon(this.#options.everyMs);
  }

  /** A log that writes to `next` too. Fields `traceId` and `spanId` tie a line to its span. */
  logTo(next: Log): Log {
    return (level, message, fields) => {
      next(level, message, fields);
      this.#line(level, message, fields ?? {});
    };
  }

  #line(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void {
    if (this.#lines.length >= this.#options.maxQueue) {
      this.#dropped++;
      return;
    }
    const { traceId, spanId, ...others } = fields;
    this.#lines.push({
      timeMs: this.#runtime.clock.wallMs(),
      level,
      message,
      attributes: plain(others),
      ...(typeof traceId === 'string' && { traceId }),
      ...(typeof spanId === 'string' && { spanId }),
    });
    this.#flushSoon(this.#options.everyMs);
  }

  start(): Promise<void> {
    return Promise.resolve();
  }

  /** Sends what waits, as far as the receiver takes it within a few seconds. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#timer?.cancel();
    await this.#sending;
    if (this.#failures === 0) await this.#sendAll();
    this.#dropped += this.#spans.length + this.#lines.length;
    this.#post.close();
  }

  #flushSoon(delayMs: number): void {
    if (this.#timer !== undefined || this.#sending !== undefined || this.#stopping) return;
    this.#timer = this.#runtime.timers.after(delayMs, () => {
      this.#timer = undefined;
      this.#sending = this.#sendAll().finally(() => {
        this.#sending = undefined;
        if (this.#spans.length + this.#lines.length > 0) this.#flushSoon(this.#pauseMs());
      });
    });
  }

  /** Doubled after each failure, and somewhere between half and all of it, so that not all senders come at once. */
  #pauseMs(): number {
    if (this.#failures === 0) return this.#options.everyMs;
    const most = Math.min(lastRetryMs, firstRetryMs * 2 ** Math.min(this.#failures, 10));
    return most * (0.5 + this.#runtime.random.float() / 2);
  }

  /** Until nothing waits, or a request has failed. */
  async #sendAll(): Promise<void> {
    while (this.#spans.length > 0) {
      const sent = await this.#sendSome('/v1/traces', this.#spans, encodeTraces);
      if (sent === 0) return;
      this.#spans = this.#spans.slice(sent);
    }
    while (this.#lines.length > 0) {
      const sent = await this.#sendSome('/v1/logs', this.#lines, encodeLogs);
      if (sent === 0) return;
      this.#lines = this.#lines.slice(sent);
    }
  }

  /** How many of `waiting` need not be sent again; 0 when the request has failed. */
  async #sendSome<T>(path: string, waiting: readonly T[], encode: Encode<T>): Promise<number> {
    const batch = waiting.slice(0, this.#options.maxBatch);
    // Whoever is observed does not end because of what was said about it.
    const errors: unknown[] = [];
    const bytes = encode(this.#options.resource, batch, (error) => errors.push(error));
    const status = await this.#post.post(path, bytes);
    const taken = typeof status === 'number' && status < 300;
    if (!taken) this.#failedRequests++;
    // What it refuses for good would stand in the way of all that comes after it.
    if (!taken && !(typeof status === 'number' && !retriable.has(status))) {
      this.#failures++;
      return 0;
    }
    if (taken) this.#failures = 0;
    const sent = taken ? batch.length - errors.length : 0;
    this.#sent += sent;
    this.#dropped += batch.length - sent;
    if (errors.length > 0)
      this.#options.runtime.log('warn', 'spans or log lines that cannot be written as OTLP are left out', {
        count: errors.length,
        error: errors[0],
      });
    return batch.length;
  }
}

/** What a line says, as far as the protocol can say it. */
function plain(fields: Readonly<Record<string, unknown>>): Attributes {
  const attributes: Record<string, AttributeValue> = {};
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      attributes[key] = value;
    else if (value instanceof Error) attributes[key] = value.message;
    else
      attributes[key] =
        JSON.stringify(value, (_, each) => (typeof each === 'bigint' ? String(each) : each)) ?? '';
  }
  return attributes;
}
