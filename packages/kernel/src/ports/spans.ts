import type { TraceContext } from '../context.ts';
import type { HeddleError } from '../error.ts';

/** OpenTelemetry's five kinds of spans. */
export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** What is told about a span beside its times: names of OpenTelemetry's semantic conventions, few and short values. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** A piece of work that has ended. */
export interface Span {
  /** `shop.order.v1.OrderService/Get`, `GET /orders/{orderId}`: few values. */
  readonly name: string;
  readonly kind: SpanKind;
  readonly trace: TraceContext;
  /** Undefined for the first of its trace. */
  readonly parentSpanId: string | undefined;
  /** Milliseconds since 1970, with fractions. */
  readonly startWallMs: number;
  readonly durationMs: number;
  readonly error: HeddleError | undefined;
  /** It did not do what it was for: there was an error, or an answer that says so. */
  readonly failed: boolean;
  readonly attributes: SpanAttributes;
}

/** Who takes the spans of a process. One for a process, in its `Runtime`; without it none are made. */
export interface SpanSink {
  /** Of the traces that begin in this process, the share that is sampled, 0 to 1. Others' decisions stand. */
  readonly sampleRatio: number;
  /** A process's part of a trace that took this long is taken although the trace is not sampled. `Infinity`: never. */
  readonly slowMs: number;
  /** Takes a span that has ended. Must not throw and must not block. */
  take(span: Span): void;
}
