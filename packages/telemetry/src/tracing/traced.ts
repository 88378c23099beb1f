import {
  type Call,
  childSpan,
  type HeddleError,
  type Layer,
  startTrace,
  type TraceContext,
  traceContext,
} from '@heddle/kernel';

/** A piece of work that has ended. */
export interface Span {
  /** `shop.order.v1.OrderService/Get`, `GET /orders/{orderId}`: few values. */
  readonly name: string;
  readonly kind: 'client' | 'server';
  readonly trace: TraceContext;
  /** Undefined for the first of its trace. */
  readonly parentSpanId: string | undefined;
  /** Milliseconds since 1970. */
  readonly startWallMs: number;
  readonly durationMs: number;
  readonly error: HeddleError | undefined;
}

/** What `traced` may be told. */
export interface TracedOptions<Req> {
  readonly kind: Span['kind'];
  /** Names the work; asked at its end, and only for spans that are taken. Default: by `kind`. */
  readonly name?: (req: Req, call: Call) => string;
  /** Of the traces that begin here, the share that is sampled, 0 to 1. Others' decisions stand. Default 0.01. */
  readonly sampleRatio?: number;
  /** Takes the spans of sampled traces when they have ended. Must not throw. Default: nobody does. */
  readonly onSpan?: (span: Span) => void;
}

/**
 * Gives each call a span of its own: of the trace that it belongs to, or of a new one. What is called within it gets that
 * span as its parent, in this process and, by `traceparent`, in others. Stands above all that records a trace id.
 */
export function traced<Req, Res>(options: TracedOptions<Req>): Layer<Req, Res> {
  const { kind, sampleRatio = 0.01, onSpan, name = () => kind } = options;
  return (next) => (req, call) => {
    const { random, clock } = call.runtime;
    const parent = call.get(traceContext);
    const trace =
      parent === undefined ? startTrace(random, random.float() < sampleRatio) : childSpan(parent, random);
    call.set(traceContext, trace);
    if (onSpan !== undefined && trace.sampled) {
      const startMs = clock.nowMs();
      call.onEnd(({ error }) => {
        const durationMs = clock.nowMs() - startMs;
        const startWallMs = clock.wallMs() - durationMs;
        const parentSpanId = parent?.spanId;
        onSpan({ name: name(req, call), kind, trace, parentSpanId, startWallMs, durationMs, error });
      });
    }
    return next(req, call);
  };
}
