import {
  type Attributes as OtelAttributes,
  type AttributeValue as OtelValue,
  type Exception,
  type Link,
  type Span as OtelSpan,
  type SpanContext,
  type SpanStatus,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api';
import { type Call, HeddleError, type OpenSpan, type TraceContext } from '@heddle/kernel';

type Attribute = string | number | boolean;

/** A span of OpenTelemetry's API that is one of ours: it ends where all others of the process do. */
export class HeddleSpan implements OtelSpan {
  /** What is called within it. */
  readonly call: Call;
  readonly #open: OpenSpan;
  readonly #attributes: Record<string, Attribute> = {};
  #name: string;
  #status: SpanStatus = { code: SpanStatusCode.UNSET };
  #ended = false;

  constructor(call: Call, open: OpenSpan, name: string, attributes: OtelAttributes = {}) {
    this.call = call;
    this.#open = open;
    this.#name = name;
    this.setAttributes(attributes);
  }

  spanContext(): SpanContext {
    return spanContextOf(this.#open.trace);
  }

  setAttribute(key: string, value: OtelValue): this {
    if (!this.#ended) this.#attributes[key] = plain(value);
    return this;
  }

  setAttributes(attributes: OtelAttributes): this {
    for (const [key, value] of Object.entries(attributes))
      if (value !== undefined) this.setAttribute(key, value);
    return this;
  }

  /** Events are lines of the log that belong to the span. */
  addEvent(name: string, attributes?: unknown): this {
    const { traceId, spanId } = this.#open.trace;
    const more =
      typeof attributes === 'object' && attributes !== null && !(attributes instanceof Date)
        ? attributes
        : {};
    if (!this.#ended) this.call.runtime.log('info', name, { ...more, traceId, spanId });
    return this;
  }

  /** Links are kept as one attribute: the traces that this span has to do with. */
  addLink({ context }: Link): this {
    const before = this.#attributes['heddle.links'];
    const link = `${context.traceId}-${context.spanId}`;
    return this.setAttribute('heddle.links', before === undefined ? link : `${String(before)} ${link}`);
  }

  addLinks(links: Link[]): this {
    for (const each of links) this.addLink(each);
    return this;
  }

  /** The status of an error stands against all but `OK`, which stands against everything. */
  setStatus(status: SpanStatus): this {
    if (!this.#ended && this.#status.code !== SpanStatusCode.OK && status.code !== SpanStatusCode.UNSET)
      this.#status = status;
    return this;
  }

  updateName(name: string): this {
    if (!this.#ended) this.#name = name;
    return this;
  }

  recordException(exception: Exception): void {
    const { message, name, code } =
      typeof exception === 'string' ? { message: exception, name: 'Error', code: undefined } : exception;
    this.setAttribute('exception.type', String(name ?? code ?? 'Error'));
    if (message !== undefined) this.setAttribute('exception.message', message);
  }

  /** What still runs within it is given up, as at the end of any call. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    const failed = this.#status.code === SpanStatusCode.ERROR;
    const message = this.#status.message ?? String(this.#attributes['exception.message'] ?? this.#name);
    const error = failed ? new HeddleError({ code: 'unknown', reason: 'SPAN_FAILED', message }) : undefined;
    this.#open.end(error, { name: this.#name, attributes: this.#attributes, failed });
    this.call.end(error);
  }

  isRecording(): boolean {
    return !this.#ended;
  }
}

/** A trace context as OpenTelemetry has it. */
export function spanContextOf({ traceId, spanId, sampled }: TraceContext): SpanContext {
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE };
}

/** Ours are plain: a list becomes its JSON. */
function plain(value: OtelValue): Attribute {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return JSON.stringify(value) ?? '';
}
