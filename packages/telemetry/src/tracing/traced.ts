import {
  type Call,
  HeddleError,
  type Layer,
  openSpan,
  type SpanKind,
  type SpanReport,
  type SpanSink,
} from '@heddle/kernel';

/** What `traced` may be told. */
export interface TracedOptions<Req, Res = unknown> {
  readonly kind: SpanKind;
  /** Names the work; asked at its end, and only for spans that are taken. Default: by `kind`. */
  readonly name?: (req: Req, call: Call) => string;
  /** Requests that get no span: probes are no traffic. Default: all get one. */
  readonly skip?: (req: Req) => boolean;
  /** Says more at the end; the answer is undefined where there was none. Default: nothing. */
  readonly describe?: (
    req: Req,
    call: Call,
    answer: Res | undefined,
    error: HeddleError | undefined,
  ) => Partial<SpanReport>;
  /** Who takes the spans. Default: the one of the call's runtime; without one there are only trace ids. */
  readonly sink?: SpanSink;
}

/**
 * Gives each call a span of its own: of the trace that it belongs to, or of a new one. What is called within it gets that
 * span as its parent, in this process and, by `traceparent`, in others. Stands above all that records a trace id.
 */
export function traced<Req, Res>(options: TracedOptions<Req, Res>): Layer<Req, Res> {
  const { kind, name = () => kind, describe, skip } = options;
  return (next) => (req, call) => {
    if (skip?.(req) === true) return next(req, call);
    const sink = options.sink ?? call.runtime.spans;
    const span = openSpan(call, { kind, sink });
    if (sink === undefined) return next(req, call);
    let answer: Res | undefined;
    let ended: { readonly error: HeddleError | undefined } | undefined;
    let settled = false;
    let told = false;
    // The end and the answer are told in either order: what is short has gone before this layer sees it.
    const tell = (): void => {
      if (!settled || ended === undefined || told) return;
      told = true;
      const more = describe?.(req, call, answer, ended.error) ?? {};
      span.end(ended.error, { name: more.name ?? name(req, call), ...more });
    };
    call.onEnd(({ error }) => {
      ended = { error };
      tell();
    });
    return next(req, call).then(
      (value) => {
        answer = value;
        settled = true;
        tell();
        return value;
      },
      (thrown: unknown) => {
        settled = true;
        // An error here may become an answer above, with which the call ends well.
        ended = { error: HeddleError.from(thrown) };
        tell();
        throw thrown;
      },
    );
  };
}
