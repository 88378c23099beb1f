import type { Checked } from '../model/problem.ts';
import { Reader } from '../model/reader.ts';

/** A span as far as boundaries need it. */
export interface TraceSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly service: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  readonly attributes: ReadonlyMap<string, string>;
}

const kinds = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const;

/**
 * The spans of OTLP in its JSON form (`ExportTraceServiceRequest`), as any exporter and the Collector's file exporter
 * write it; `documents` are the requests. What is not needed is not looked at.
 */
export function readOtlp(documents: readonly unknown[]): Checked<readonly TraceSpan[]> {
  const reader = new Reader();
  const spans = documents.flatMap((document, at) => {
    const root = record(document);
    if (!Array.isArray(root?.['resourceSpans'])) {
      reader.report([at, 'resourceSpans'], 'expected a list of spans by resource; found none');
      return [];
    }
    return root['resourceSpans'].flatMap((resource: unknown, index: number) =>
      spansOf(reader, resource, [at, 'resourceSpans', index]),
    );
  });
  if (spans.length === 0) reader.report([], 'expected at least one span; found none');
  return reader.problems.length > 0 ? { ok: false, problems: reader.problems } : { ok: true, value: spans };
}

function spansOf(reader: Reader, value: unknown, path: readonly (string | number)[]): TraceSpan[] {
  const resource = record(value);
  const own = attributesOf(record(resource?.['resource'])?.['attributes']);
  const service = own.get('service.name');
  if (service === undefined)
    reader.report([...path, 'resource'], 'expected the attribute service.name; found none');
  // Before version 0.19 of OTLP the scopes were called instrumentation libraries.
  const scopes = reader.list(resource?.['scopeSpans'] ?? resource?.['instrumentationLibrarySpans'], [
    ...path,
    'scopeSpans',
  ]);
  return scopes.flatMap(([scope, place]) =>
    reader.list(record(scope)?.['spans'], [...place, 'spans']).flatMap(([each, where]) => {
      const span = record(each) ?? {};
      const traceId = reader.text(span['traceId'], [...where, 'traceId']);
      const spanId = reader.text(span['spanId'], [...where, 'spanId']);
      if (traceId === undefined || spanId === undefined || service === undefined) return [];
      const parentSpanId = typeof span['parentSpanId'] === 'string' ? span['parentSpanId'] : '';
      const name = typeof span['name'] === 'string' ? span['name'] : '';
      const attributes = attributesOf(span['attributes']);
      return [{ traceId, spanId, parentSpanId, service, name, kind: kindOf(span['kind']), attributes }];
    }),
  );
}

/** A number in most exporters, the name of the enumeration in some. */
function kindOf(value: unknown): TraceSpan['kind'] {
  if (typeof value === 'number') return kinds[value] ?? 'internal';
  const word = typeof value === 'string' ? value.replace('SPAN_KIND_', '').toLowerCase() : '';
  return kinds.find((each) => each === word) ?? 'internal';
}

function attributesOf(value: unknown): Map<string, string> {
  const attributes = new Map<string, string>();
  if (!Array.isArray(value)) return attributes;
  for (const each of value as unknown[]) {
    const entry = record(each);
    const [found] = Object.values(record(entry?.['value']) ?? {});
    const key = entry?.['key'];
    if (typeof key !== 'string') continue;
    if (typeof found === 'string' || typeof found === 'number') attributes.set(key, String(found));
  }
  return attributes;
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}
