import {
  type Call,
  HeddleError,
  type Layer,
  type OpenSpan,
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
  /** Whether an answer says that the work failed; asked of each, before anything else is. Default: none does. */
  readonly failed?: (req: Req, answer: Res) => boolean;
  /** Who takes the spans. Default: the one of the call's runtime; without one there are only trace ids. */
  readonly sink?: SpanSink;
  /** The call has just begun: the span begins with it. Default: it begins now. */
  readonly withCall?: boolean;
  /** What failed is an error, and every answer a success: then the call's end says all, and `describe` gets no answer. Default false. */
  readonly onlyErrors?: boolean;
}

/**
 * Gives each call a span of its own: of the trace that it belongs to, or of a new one. What is called within it gets that
 * span as its parent, in this process and, by `traceparent`, in others. Stands above all that records a trace id.
 */
export function traced<Req, Res>(options: TracedOptions<Req, Res>): Layer<Req, Res> {
  const { kind, skip, withCall = false, onlyErrors = false } = options;
  return (next) => (req, call) => {
    if (skip?.(req) === true) return next(req, call);
    const sink = options.sink ?? call.runtime.spans;
    const span = openSpan(call, { kind, sink, withCall });
    if (sink === undefined) return next(req, call);
    if (onlyErrors) {
      call.onEnd(({ error }) => {
        if (error !== undefined || !span.endUnseen()) endSpan(span, options, req, call, undefined, error);
      });
      return next(req, call);
    }
    const end = new Ending(req, call, span, options);
    call.onEnd(({ error }) => end.callEnded(error));
    const pending = next(req, call);
    // Told before whoever waits for the answer, who need not wait for one more promise.
    pending.then(
      (answer) => end.answered(answer),
      (thrown: unknown) => end.failed(HeddleError.from(thrown)),
    );
    return pending;
  };
}

function endSpan<Req, Res>(
  span: OpenSpan,
  { kind, name, describe, failed }: TracedOptions<Req, Res>,
  req: Req,
  call: Call,
  answer: Res | undefined,
  error: HeddleError | undefined,
): void {
  const more = describe?.(req, call, answer, error) ?? {};
  const isFailure = error !== undefined || (answer !== undefined && failed?.(req, answer) === true);
  span.end(error, { name: more.name ?? name?.(req, call) ?? kind, failed: isFailure, ...more });
}

/** The end and the answer come in either order: what is short has gone before this layer sees it. */
class Ending<Req, Res> {
  readonly #req: Req;
  readonly #call: Call;
  readonly #span: OpenSpan;
  readonly #options: TracedOptions<Req, Res>;
  #answer: Res | undefined;
  #error: HeddleError | undefined;
  #settled = false;
  #ended = false;
  #told = false;

  constructor(req: Req, call: Call, span: OpenSpan, options: TracedOptions<Req, Res>) {
    this.#req = req;
    this.#call = call;
    this.#span = span;
    this.#options = options;
  }

  callEnded(error: HeddleError | undefined): void {
    if (!this.#ended) this.#error = error;
    this.#ended = true;
    if (this.#settled) this.#tell();
  }

  answered(answer: Res): void {
    this.#answer = answer;
    this.#settled = true;
    if (this.#ended) this.#tell();
  }

  /** An error here may become an answer above, with which the call ends well. */
  failed(error: HeddleError): void {
    this.#settled = true;
    this.#ended = true;
    this.#error = error;
    this.#tell();
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    const [answer, error] = [this.#answer, this.#error];
    const isFailure = error !== undefined || this.#options.failed?.(this.#req, answer as Res) === true;
    if (!isFailure && this.#span.endUnseen()) return;
    endSpan(this.#span, this.#options, this.#req, this.#call, answer, error);
  }
}
