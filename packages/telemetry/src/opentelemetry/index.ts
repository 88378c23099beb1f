import {
  type Context,
  type ContextManager,
  context,
  ROOT_CONTEXT,
  type Span as OtelSpan,
  SpanKind as OtelKind,
  type SpanOptions,
  trace,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import {
  type Ambient,
  Call,
  type CallKey,
  callKey,
  openSpan,
  type Runtime,
  type SpanKind,
  traceContext,
} from '@heddle/kernel';
import { HeddleSpan, spanContextOf } from './heddle-span.ts';

const kinds: Readonly<Record<OtelKind, SpanKind>> = {
  [OtelKind.INTERNAL]: 'internal',
  [OtelKind.SERVER]: 'server',
  [OtelKind.CLIENT]: 'client',
  [OtelKind.PRODUCER]: 'producer',
  [OtelKind.CONSUMER]: 'consumer',
};

/** What was made the active context, on the call that stands for it. */
const contextOf: CallKey<Context | undefined> = callKey<Context | undefined>(
  'opentelemetry-context',
  undefined,
);

/** What `openTelemetry` is told. */
export interface OpenTelemetryOptions {
  /** Its `spans` take what is made, as everything else of the process. */
  readonly runtime: Runtime;
  /** The one that servers and clients were given, usually `asyncContext`: it knows the current call. */
  readonly ambient: Ambient;
}

/** Heddle behind OpenTelemetry's tracing API. */
export interface OpenTelemetryBridge {
  readonly tracerProvider: TracerProvider;
  readonly contextManager: ContextManager;
  /** Makes both the process's own, for `trace.getTracer` and `context`. Throws where another is already. */
  install(): void;
  /** Takes them back. */
  uninstall(): void;
}

/**
 * Has user code and libraries that know OpenTelemetry's API (`@opentelemetry/api`) make spans of the trace that the current
 * call belongs to; calls that are made within such a span are its children. Start times and end times of one's own are not
 * taken: a span has the times at which it was begun and ended.
 */
export function openTelemetry({ runtime, ambient }: OpenTelemetryOptions): OpenTelemetryBridge {
  ambient.ask?.();
  const contextManager = new CallContexts(ambient, runtime);
  const tracer = new HeddleTracer(runtime, ambient);
  const tracerProvider: TracerProvider = { getTracer: () => tracer };
  return {
    tracerProvider,
    contextManager,
    install: () => {
      if (trace.setGlobalTracerProvider(tracerProvider) && context.setGlobalContextManager(contextManager))
        return;
      throw new Error('OpenTelemetry’s API has another tracer provider or context manager already');
    },
    uninstall: () => {
      trace.disable();
      context.disable();
    },
  };
}

class HeddleTracer implements Tracer {
  readonly #runtime: Runtime;
  readonly #ambient: Ambient;

  constructor(runtime: Runtime, ambient: Ambient) {
    this.#runtime = runtime;
    this.#ambient = ambient;
  }

  startSpan(name: string, options: SpanOptions = {}, from: Context = context.active()): HeddleSpan {
    const call = this.#callFor(options, from);
    const open = openSpan(call, { kind: kinds[options.kind ?? OtelKind.INTERNAL] });
    const span = new HeddleSpan(call, open, name, options.attributes);
    return span.addLinks(options.links ?? []);
  }

  startActiveSpan<F extends (span: OtelSpan) => unknown>(name: string, fn: F): ReturnType<F>;
  startActiveSpan<F extends (span: OtelSpan) => unknown>(
    name: string,
    options: SpanOptions,
    fn: F,
  ): ReturnType<F>;
  startActiveSpan<F extends (span: OtelSpan) => unknown>(
    name: string,
    options: SpanOptions,
    from: Context,
    fn: F,
  ): ReturnType<F>;
  startActiveSpan<F extends (span: OtelSpan) => unknown>(
    name: string,
    ...rest: readonly unknown[]
  ): ReturnType<F> {
    const fn = rest.at(-1) as F;
    const options = (rest.length > 1 ? rest[0] : {}) as SpanOptions;
    const from = (rest.length > 2 ? rest[1] : context.active()) as Context;
    const span = this.startSpan(name, options, from);
    return context.with(trace.setSpan(from, span), () => fn(span) as ReturnType<F>);
  }

  /** A child of the span that is named, of the current call, or of nothing. */
  #callFor({ root = false }: SpanOptions, from: Context): Call {
    if (root) return Call.root(this.#runtime);
    const parent = trace.getSpan(from);
    if (parent instanceof HeddleSpan) return parent.call.child();
    const current = this.#ambient.current();
    const base = current === undefined ? Call.root(this.#runtime) : current.child();
    const remote = parent?.spanContext();
    // A span of elsewhere: what a propagator has read, or the current call's own in another dress.
    if (remote !== undefined && remote.traceId !== base.get(traceContext)?.traceId)
      base.set(traceContext, {
        traceId: remote.traceId,
        spanId: remote.spanId,
        sampled: (remote.traceFlags & 1) === 1,
      });
    return base;
  }
}

/** The active context is the current call's: what is not known of one is known of the other. */
class CallContexts implements ContextManager {
  readonly #ambient: Ambient;
  readonly #runtime: Runtime;

  constructor(ambient: Ambient, runtime: Runtime) {
    this.#ambient = ambient;
    this.#runtime = runtime;
  }

  active(): Context {
    const call = this.#ambient.current();
    if (call === undefined) return ROOT_CONTEXT;
    const set = call.get(contextOf) ?? ROOT_CONTEXT;
    const own = call.get(traceContext);
    // A call that was made within the context has a span of its own by now.
    if (own === undefined || trace.getSpanContext(set)?.spanId === own.spanId) return set;
    return trace.setSpanContext(set, spanContextOf(own));
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    given: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    const span = trace.getSpan(given);
    const base =
      span instanceof HeddleSpan ? span.call : (this.#ambient.current() ?? Call.root(this.#runtime));
    const within = base.child().set(contextOf, given);
    const result = this.#ambient.run(within, () => fn.apply(thisArg as ThisParameterType<F>, args));
    // Work that goes on is known by its promise; what a function leaves behind otherwise ends with the span.
    if (isPromise(result))
      void result.then(
        () => within.end(),
        () => within.end(),
      );
    return result;
  }

  bind<T>(given: Context, target: T): T {
    if (typeof target !== 'function') return target;
    const bound = (...args: unknown[]): unknown =>
      this.with(given, () => (target as unknown as (...all: unknown[]) => unknown)(...args));
    return bound as unknown as T;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
