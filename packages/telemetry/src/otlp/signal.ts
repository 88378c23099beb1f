/** A value of OpenTelemetry's attributes. Bytes are base64. */
export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

/** Attributes by name. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** Who sent a signal. One object is shared by all that came with it. */
export interface Resource {
  /** `service.name`; `unknown` where it is not said. */
  service: string;
  attributes: Record<string, AttributeValue>;
}

/** Something that happened within a span. */
export interface SpanEvent {
  readonly timeUs: number;
  readonly name: string;
  readonly attributes: Attributes;
}

/** A span of another trace, or of the same, that this one has to do with. */
export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
  readonly attributes: Attributes;
}

/** OpenTelemetry's numbers of the kinds; 0 is unspecified. */
export const spanKinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

/** A span as it is received, kept and shown. */
export interface SpanData {
  /** 32 and 16 lower-case hex digits; `parentSpanId` is empty for the first of a trace. */
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** Position in `spanKinds`. */
  readonly kind: number;
  /** Microseconds since 1970. */
  readonly startUs: number;
  readonly durationUs: number;
  readonly failed: boolean;
  /** What is said about the failure. */
  readonly statusMessage: string;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
  readonly links: readonly SpanLink[];
  /** Name of the library that made it. */
  readonly scope: string;
  readonly resource: Resource;
}

/** A line of a log, as it is received, kept and shown. */
export interface LogData {
  /** Microseconds since 1970. */
  readonly timeUs: number;
  /** OpenTelemetry's number: 5 debug, 9 info, 13 warn, 17 error. */
  readonly severity: number;
  readonly severityText: string;
  readonly body: string;
  readonly attributes: Attributes;
  /** Empty where the line belongs to no trace. */
  readonly traceId: string;
  readonly spanId: string;
  readonly resource: Resource;
}

/** One number of a metric, under Prometheus' names. */
export interface MetricPoint {
  readonly labels: Readonly<Record<string, string>>;
  readonly timeMs: number;
  /** Undefined: the series ends here. */
  readonly value: number | undefined;
}

/** What was taken of a request, and what was not. */
export interface Received<T> {
  readonly items: readonly T[];
  readonly rejected: number;
  /** Why the first of the rejected was; empty if none. */
  readonly why: string;
}
