import type { Call } from './call.ts';
import { type CallKey, callKey } from './call-key.ts';
import { type TraceContext, traceContext } from './context.ts';
import { HeddleError } from './error.ts';
import type { Random } from './ports/random.ts';
import type { Span, SpanAttributes, SpanKind, SpanSink } from './ports/spans.ts';
import { childSpan, startTrace } from './trace-ids.ts';

/** What an unsampled trace has done in this process so far: it is kept until it is known whether it went well. */
interface LocalTrace {
  spans: readonly Span[];
  /** Something failed or was slow: what comes from now on is taken too. */
  kept: boolean;
  ended: boolean;
}

const localTrace: CallKey<LocalTrace | undefined> = callKey<LocalTrace | undefined>('local-trace', undefined);

// A process that does very much for one request keeps the beginning of it, and not all of its memory.
const mostHeldSpans = 200;

const noAttributes: SpanAttributes = {};
const none: readonly Span[] = [];

/** What is said of a span when it has ended. Asked only for spans that somebody wants. */
export interface SpanReport {
  readonly name: string;
  readonly attributes?: SpanAttributes;
  /** Default: whether there was an error. */
  readonly failed?: boolean;
}

/** A span that has begun. */
export interface OpenSpan {
  readonly trace: TraceContext;
  /** States that the work is done. At most once. */
  end(error: HeddleError | undefined, report: SpanReport): void;
  /**
   * States that the work is done and went well, if that is all that will ever be asked: the trace is not sampled, began here,
   * and all of it was well and fast. False: the span goes on, and `end` is to say what it was.
   */
  endUnseen(): boolean;
}

/** What `openSpan` may be told. */
export interface OpenSpanOptions {
  readonly kind: SpanKind;
  /** Default: that of the call's runtime. */
  readonly sink?: SpanSink | undefined;
  /** The span begins when the call did, which saves to read the clock. Default: now. */
  readonly withCall?: boolean;
}

/**
 * Begins a span on `call`: of the trace that the call belongs to, or of a new one. What is called with this call or its
 * children from now on has that span as its parent.
 *
 * The decision on sampling is made where a trace begins, and stands (W3C Trace Context). A trace that is not sampled
 * costs no more than what it holds until its first span in this process has ended: if any of its spans failed, or the
 * first was slow, they are all taken after all.
 */
export function openSpan(call: Call, options: OpenSpanOptions): OpenSpan {
  const { kind, sink = call.runtime.spans } = options;
  const { random } = call.runtime;
  const parent = call.get(traceContext);
  const trace = parent === undefined ? begun(random, sink) : childSpan(parent, random);
  call.set(traceContext, trace);
  if (sink === undefined) return { trace, end: nothing, endUnseen: yes };
  const local = trace.sampled ? undefined : call.get(localTrace);
  const startMs = options.withCall === true ? call.startMs : call.runtime.clock.nowMs();
  const span = new Begun(call, { kind, sink, trace, parent, local }, startMs);
  // Of an unsampled trace the first span here is also what is known of the trace.
  if (!trace.sampled && local === undefined) call.set(localTrace, span);
  return span;
}

interface Beginning {
  readonly kind: SpanKind;
  readonly sink: SpanSink;
  readonly trace: TraceContext;
  readonly parent: TraceContext | undefined;
  /** Undefined for a trace that is sampled, and for the first span of another. */
  readonly local: LocalTrace | undefined;
}

class Begun implements OpenSpan, LocalTrace {
  readonly trace: TraceContext;
  spans: readonly Span[] = none;
  kept = false;
  ended = false;
  readonly #call: Call;
  readonly #kind: SpanKind;
  readonly #sink: SpanSink;
  readonly #parent: TraceContext | undefined;
  readonly #local: LocalTrace | undefined;
  readonly #startMs: number;

  constructor(call: Call, { kind, sink, trace, parent, local }: Beginning, startMs: number) {
    this.trace = trace;
    this.#call = call;
    this.#kind = kind;
    this.#sink = sink;
    this.#parent = parent;
    this.#local = local;
    this.#startMs = startMs;
  }

  end(error: HeddleError | undefined, { name, attributes = noAttributes, failed }: SpanReport): void {
    const { clock } = this.#call.runtime;
    const durationMs = this.#call.endMs - this.#startMs;
    const span = {
      name,
      kind: this.#kind,
      trace: this.trace,
      parentSpanId: this.#parent?.spanId,
      startWallMs: clock.wallMs() - durationMs,
      durationMs,
      error,
      failed: failed ?? error !== undefined,
      attributes,
    };
    if (this.trace.sampled) this.#sink.take(span);
    else hold(this.#local ?? this, span, this.#sink, this.#local === undefined);
  }

  endUnseen(): boolean {
    if (this.#local !== undefined || this.trace.sampled || this.kept || this.ended) return false;
    const { slowMs } = this.#sink;
    if (slowMs !== Number.POSITIVE_INFINITY && this.#call.endMs - this.#startMs >= slowMs) return false;
    this.ended = true;
    this.spans = none;
    return true;
  }
}

function begun(random: Random, sink: SpanSink | undefined): TraceContext {
  if (sink === undefined) return startTrace(random, false, true);
  return startTrace(random, sink.sampleRatio >= 1 || random.float() < sink.sampleRatio);
}

function hold(local: LocalTrace, span: Span, sink: SpanSink, first: boolean): void {
  if (span.failed || (first && span.durationMs >= sink.slowMs)) local.kept = true;
  if (local.ended) {
    if (local.kept) sink.take(span);
    return;
  }
  if (local.spans === none) local.spans = [span];
  else if (local.spans.length < mostHeldSpans) (local.spans as Span[]).push(span);
  if (!first) return;
  local.ended = true;
  const { spans } = local;
  local.spans = none;
  if (local.kept) for (const each of spans) sink.take(each);
}

/** Does a piece of work as a child of `call` with a span of its own, which ends when the work does. */
export async function withSpan<T>(
  call: Call,
  options: OpenSpanOptions & SpanReport,
  work: (call: Call) => Promise<T>,
): Promise<T> {
  const child = call.child();
  const span = openSpan(child, options);
  try {
    const result = await work(child);
    span.end(undefined, options);
    child.end();
    return result;
  } catch (thrown) {
    const error = HeddleError.from(thrown);
    span.end(error, options);
    child.end(error);
    throw thrown;
  }
}

function nothing(): void {}

function yes(): boolean {
  return true;
}
