import { readAnyValue, readAttribute, readResource, unknownResource } from './attributes.ts';
import { ProtobufReader } from './protobuf-reader.ts';
import type { AttributeValue, LogData, Received, Resource } from './signal.ts';

/** The lines of an `ExportLogsServiceRequest` in protobuf. */
export function decodeLogs(bytes: Uint8Array): Received<LogData> {
  const reader = new ProtobufReader(bytes);
  const items: LogData[] = [];
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) readResourceLogs(reader, items);
    else reader.skip(tag);
  }
  return { items, rejected: 0, why: '' };
}

function readResourceLogs(reader: ProtobufReader, items: LogData[]): void {
  const resource = unknownResource();
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) readResource(reader, resource);
    else if (tag === 18) readScopeLogs(reader, resource, items);
    else reader.skip(tag);
  }
  reader.close(outer);
}

function readScopeLogs(reader: ProtobufReader, resource: Resource, items: LogData[]): void {
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 18) items.push(readLog(reader, resource));
    else reader.skip(tag);
  }
  reader.close(outer);
}

function readLog(reader: ProtobufReader, resource: Resource): LogData {
  let timeUs = 0;
  let observedUs = 0;
  let severity = 0;
  let severityText = '';
  let body: AttributeValue = '';
  let traceId = '';
  let spanId = '';
  const attributes: Record<string, AttributeValue> = {};
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 9) timeUs = reader.timeUs();
    else if (tag === 89) observedUs = reader.timeUs();
    else if (tag === 16) severity = reader.uint();
    else if (tag === 26) severityText = reader.text();
    else if (tag === 42) body = readAnyValue(reader);
    else if (tag === 50) readAttribute(reader, attributes);
    else if (tag === 74) traceId = reader.hex();
    else if (tag === 82) spanId = reader.hex();
    else reader.skip(tag);
  }
  reader.close(outer);
  const text = bodyText(body);
  return {
    timeUs: timeUs === 0 ? observedUs : timeUs,
    severity,
    severityText,
    body: text,
    attributes,
    traceId,
    spanId,
    resource,
  };
}

/** A body that is no text is shown as JSON. */
export function bodyText(body: AttributeValue): string {
  return typeof body === 'string' ? body : JSON.stringify(body);
}
