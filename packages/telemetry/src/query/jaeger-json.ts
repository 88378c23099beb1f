import { type Attributes, type AttributeValue, type SpanData, spanKinds } from '../otlp/signal.ts';

interface JaegerTag {
  readonly key: string;
  readonly type: 'string' | 'bool' | 'int64' | 'float64';
  readonly value: string | boolean | number;
}

/** A trace as Jaeger's query service shows it (`jaeger-ui`, Grafana and Kiali read it). */
export function jaegerTrace(traceId: string, spans: readonly SpanData[]): object {
  const processes = new Map<
    string,
    { readonly id: string; readonly serviceName: string; readonly tags: readonly JaegerTag[] }
  >();
  const shown = spans.map((span) => {
    const { service, attributes } = span.resource;
    const key = `${service} ${JSON.stringify(attributes)}`;
    let process = processes.get(key);
    if (process === undefined) {
      process = { id: `p${processes.size + 1}`, serviceName: service, tags: tagsOf(attributes) };
      processes.set(key, process);
    }
    return jaegerSpan(span, process.id);
  });
  const byId = [...processes.values()].map(({ id, ...process }) => [id, process] as const);
  return { traceID: traceId, spans: shown, processes: Object.fromEntries(byId), warnings: null };
}

function jaegerSpan(span: SpanData, processID: string): object {
  const { traceId, spanId, parentSpanId, links } = span;
  const references = [
    ...(parentSpanId === '' ? [] : [{ refType: 'CHILD_OF', traceID: traceId, spanID: parentSpanId }]),
    ...links.map((link) => ({ refType: 'FOLLOWS_FROM', traceID: link.traceId, spanID: link.spanId })),
  ];
  return {
    traceID: traceId,
    spanID: spanId,
    flags: 1,
    operationName: span.name,
    references,
    startTime: span.startUs,
    duration: Math.round(span.durationUs),
    tags: [...tagsOf(span.attributes), ...ownTags(span)],
    logs: span.events.map(({ timeUs, name, attributes }) => ({
      timestamp: timeUs,
      fields: [{ key: 'event', type: 'string', value: name }, ...tagsOf(attributes)],
    })),
    processID,
    warnings: null,
  };
}

/** What Jaeger has as tags and OpenTelemetry as fields. */
function ownTags({ kind, failed, statusMessage, scope }: SpanData): readonly JaegerTag[] {
  const kindName = spanKinds[kind] ?? 'unspecified';
  return [
    ...(kind === 0 ? [] : [{ key: 'span.kind', type: 'string' as const, value: kindName }]),
    ...(failed ? [{ key: 'error', type: 'bool' as const, value: true }] : []),
    ...(failed ? [{ key: 'otel.status_code', type: 'string' as const, value: 'ERROR' }] : []),
    ...(statusMessage === ''
      ? []
      : [{ key: 'otel.status_description', type: 'string' as const, value: statusMessage }]),
    ...(scope === '' ? [] : [{ key: 'otel.scope.name', type: 'string' as const, value: scope }]),
  ];
}

function tagsOf(attributes: Attributes): readonly JaegerTag[] {
  return Object.entries(attributes).map(([key, value]) => tagOf(key, value));
}

function tagOf(key: string, value: AttributeValue): JaegerTag {
  if (typeof value === 'string') return { key, type: 'string', value };
  if (typeof value === 'boolean') return { key, type: 'bool', value };
  if (typeof value === 'number') return { key, type: Number.isInteger(value) ? 'int64' : 'float64', value };
  return { key, type: 'string', value: JSON.stringify(value) };
}
