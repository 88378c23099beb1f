import { readAttribute, readResource, unknownResource } from './attributes.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import type { AttributeValue, Received, Resource, SpanData, SpanEvent, SpanLink } from './signal.ts';

const noAttributes: Readonly<Record<string, AttributeValue>> = {};
const noEvents: readonly SpanEvent[] = [];
const noLinks: readonly SpanLink[] = [];
const zero: { readonly low: number; readonly high: number } = { low: 0, high: 0 };

interface Status {
  readonly failed: boolean;
  readonly message: string;
}

const unset: Status = { failed: false, message: '' };

/**
 * The spans of an `ExportTraceServiceRequest` (opentelemetry-proto 1.x) in protobuf. Spans without proper ids are
 * rejected one by one; what is no protobuf throws.
 */
export function decodeTraces(bytes: Uint8Array): Received<SpanData> {
  const reader = new ProtobufReader(bytes);
  const batch = new SpanBatch();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) readResourceSpans(reader, batch);
    else reader.skip(tag);
  }
  return batch;
}

/** Gathers spans, and counts those that are none. */
export class SpanBatch implements Received<SpanData> {
  readonly items: SpanData[] = [];
  rejected = 0;
  why = '';

  add(span: SpanData): void {
    const { traceId, spanId } = span;
    const problem = !isId(traceId, 32)
      ? `trace_id: expected 16 bytes that are not all zero, found ${JSON.stringify(traceId)}`
      : !isId(spanId, 16)
        ? `span_id: expected 8 bytes that are not all zero, found ${JSON.stringify(spanId)}`
        : undefined;
    if (problem === undefined) {
      this.items.push(span);
      return;
    }
    this.rejected++;
    if (this.why === '') this.why = problem;
  }
}

function isId(id: string, digits: number): boolean {
  if (id.length !== digits) return false;
  let isZero = true;
  for (let at = 0; at < digits; at++) {
    const code = id.charCodeAt(at);
    if (code < 48 || code > 102 || (code > 57 && code < 97)) return false;
    if (code !== 48) isZero = false;
  }
  return !isZero;
}

function readResourceSpans(reader: ProtobufReader, batch: SpanBatch): void {
  const resource = unknownResource();
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) readResource(reader, resource);
    else if (tag === 18) readScopeSpans(reader, resource, batch);
    else reader.skip(tag);
  }
  reader.close(outer);
}

function readScopeSpans(reader: ProtobufReader, resource: Resource, batch: SpanBatch): void {
  const outer = reader.open();
  let scope = '';
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) scope = readScope(reader);
    else if (tag === 18) readSpan(reader, scope, resource, batch);
    else reader.skip(tag);
  }
  reader.close(outer);
}

/** An `InstrumentationScope`'s name. */
export function readScope(reader: ProtobufReader): string {
  let name = '';
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) name = reader.text();
    else reader.skip(tag);
  }
  reader.close(outer);
  return name;
}

function readSpan(reader: ProtobufReader, scope: string, resource: Resource, batch: SpanBatch): void {
  let traceId = '';
  let spanId = '';
  let parentSpanId = '';
  let name = '';
  let kind = 0;
  let start = zero;
  let end = zero;
  let status = unset;
  let attributes: Record<string, AttributeValue> | undefined;
  let events: SpanEvent[] | undefined;
  let links: SpanLink[] | undefined;
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) traceId = reader.hex();
    else if (tag === 18) spanId = reader.hex();
    else if (tag === 34) parentSpanId = reader.hex();
    else if (tag === 42) name = reader.text();
    else if (tag === 48) kind = reader.uint();
    else if (tag === 57) start = reader.fixed64();
    else if (tag === 65) end = reader.fixed64();
    else if (tag === 74) readAttribute(reader, (attributes ??= {}));
    else if (tag === 90) (events ??= []).push(readEvent(reader));
    else if (tag === 106) (links ??= []).push(readLink(reader));
    else if (tag === 122) status = readStatus(reader);
    else reader.skip(tag);
  }
  reader.close(outer);
  batch.add({
    traceId,
    spanId,
    parentSpanId: isId(parentSpanId, 16) ? parentSpanId : '',
    name,
    kind: kind > 5 ? 0 : kind,
    startUs: Math.floor((start.high * 4_294_967_296 + start.low) / 1000),
    durationUs: Math.max(0, ((end.high - start.high) * 4_294_967_296 + (end.low - start.low)) / 1000),
    failed: status.failed,
    statusMessage: status.message,
    attributes: attributes ?? noAttributes,
    events: events ?? noEvents,
    links: links ?? noLinks,
    scope,
    resource,
  });
}

function readStatus(reader: ProtobufReader): Status {
  let failed = false;
  let message = '';
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 18) message = reader.text();
    else if (tag === 24) failed = reader.uint() === 2;
    else reader.skip(tag);
  }
  reader.close(outer);
  return { failed, message };
}

function readEvent(reader: ProtobufReader): SpanEvent {
  let timeUs = 0;
  let name = '';
  const attributes: Record<string, AttributeValue> = {};
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 9) timeUs = reader.timeUs();
    else if (tag === 18) name = reader.text();
    else if (tag === 26) readAttribute(reader, attributes);
    else reader.skip(tag);
  }
  reader.close(outer);
  return { timeUs, name, attributes };
}

function readLink(reader: ProtobufReader): SpanLink {
  let traceId = '';
  let spanId = '';
  const attributes: Record<string, AttributeValue> = {};
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) traceId = reader.hex();
    else if (tag === 18) spanId = reader.hex();
    else if (tag === 34) readAttribute(reader, attributes);
    else reader.skip(tag);
  }
  reader.close(outer);
  return { traceId, spanId, attributes };
}
