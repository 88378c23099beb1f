import { HeddleError } from '@heddle/kernel';
import { deepest, nameService, tooDeep, unknownResource } from './attributes.ts';
import { bodyText } from './decode-logs.ts';
import { SpanBatch } from './decode-traces.ts';
import type { AttributeValue, LogData, Received, Resource, SpanData } from './signal.ts';

/** An object of unknown shape. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads the JSON of a request. Throws `invalid_argument` / `BAD_JSON`. */
export function parseRequest(text: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const message = `expected a request of OTLP in JSON, found: ${(cause as Error).message}`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_JSON', message, cause });
  }
  if (isObject(value)) return value;
  const message = 'expected a request of OTLP in JSON, found no object';
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_JSON', message });
}

/** The spans of an `ExportTraceServiceRequest` in OTLP's JSON: ids are hex, 64-bit numbers are strings. */
export function decodeTracesJson(text: string): Received<SpanData> {
  const batch = new SpanBatch();
  for (const resourceSpans of objects(parseRequest(text)['resourceSpans'])) {
    const resource = resourceOf(resourceSpans['resource']);
    for (const scopeSpans of objects(resourceSpans['scopeSpans'])) {
      const { scope } = scopeSpans;
      const name = isObject(scope) ? string(scope['name']) : '';
      for (const span of objects(scopeSpans['spans'])) batch.add(spanOf(span, name, resource));
    }
  }
  return batch;
}

/** The lines of an `ExportLogsServiceRequest` in OTLP's JSON. */
export function decodeLogsJson(text: string): Received<LogData> {
  const items: LogData[] = [];
  for (const resourceLogs of objects(parseRequest(text)['resourceLogs'])) {
    const resource = resourceOf(resourceLogs['resource']);
    for (const scopeLogs of objects(resourceLogs['scopeLogs'])) {
      for (const log of objects(scopeLogs['logRecords'])) items.push(logOf(log, resource));
    }
  }
  return { items, rejected: 0, why: '' };
}

function spanOf(span: JsonObject, scope: string, resource: Resource): SpanData {
  const status = isObject(span['status']) ? span['status'] : {};
  const start = nanoseconds(span['startTimeUnixNano']);
  const end = nanoseconds(span['endTimeUnixNano']);
  return {
    traceId: string(span['traceId']).toLowerCase(),
    spanId: string(span['spanId']).toLowerCase(),
    parentSpanId: string(span['parentSpanId']).toLowerCase(),
    name: string(span['name']),
    kind: kindOf(span['kind']),
    startUs: Number(start / 1000n),
    durationUs: Math.max(0, Number(end - start) / 1000),
    failed: status['code'] === 2 || status['code'] === 'STATUS_CODE_ERROR',
    statusMessage: string(status['message']),
    attributes: attributesOf(span['attributes']),
    events: objects(span['events']).map((event) => ({
      timeUs: Number(nanoseconds(event['timeUnixNano']) / 1000n),
      name: string(event['name']),
      attributes: attributesOf(event['attributes']),
    })),
    links: objects(span['links']).map((link) => ({
      traceId: string(link['traceId']).toLowerCase(),
      spanId: string(link['spanId']).toLowerCase(),
      attributes: attributesOf(link['attributes']),
    })),
    scope,
    resource,
  };
}

function logOf(log: JsonObject, resource: Resource): LogData {
  const time = nanoseconds(log['timeUnixNano']);
  const observed = nanoseconds(log['observedTimeUnixNano']);
  const { severityNumber } = log;
  return {
    timeUs: Number((time === 0n ? observed : time) / 1000n),
    severity: typeof severityNumber === 'number' ? severityNumber : 0,
    severityText: string(log['severityText']),
    body: bodyText(anyValueOf(log['body'])),
    attributes: attributesOf(log['attributes']),
    traceId: string(log['traceId']).toLowerCase(),
    spanId: string(log['spanId']).toLowerCase(),
    resource,
  };
}

const kindNames = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'];

function kindOf(kind: unknown): number {
  if (typeof kind === 'number') return kind >= 0 && kind <= 5 ? kind : 0;
  return Math.max(0, kindNames.indexOf(string(kind).replace('SPAN_KIND_', '')));
}

/** A resource out of its JSON. */
export function resourceOf(value: unknown): Resource {
  const resource = unknownResource();
  if (isObject(value)) Object.assign(resource.attributes, attributesOf(value['attributes']));
  nameService(resource);
  return resource;
}

/** Attributes out of a list of `{key, value}`. */
export function attributesOf(list: unknown, depth = 0): Record<string, AttributeValue> {
  const pairs = objects(list).map(({ key, value }) => [string(key), anyValueOf(value, depth)] as const);
  return Object.fromEntries(pairs);
}

function anyValueOf(value: unknown, depth = 0): AttributeValue {
  if (depth > deepest) throw tooDeep('BAD_JSON');
  if (!isObject(value)) return null;
  if ('stringValue' in value) return string(value['stringValue']);
  if ('boolValue' in value) return value['boolValue'] === true;
  if ('intValue' in value) return Number(value['intValue']);
  if ('doubleValue' in value) return Number(value['doubleValue']);
  if ('bytesValue' in value) return string(value['bytesValue']);
  const { arrayValue, kvlistValue } = value;
  if (isObject(arrayValue)) return objects(arrayValue['values']).map((each) => anyValueOf(each, depth + 1));
  return isObject(kvlistValue) ? attributesOf(kvlistValue['values'], depth + 1) : null;
}

/** The objects of a list; none where there is no list. */
export function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Whether it is an object, and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text; empty where there is none. */
export function string(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A number of nanoseconds, which JSON has as text. */
export function nanoseconds(value: unknown): bigint {
  if (typeof value === 'number' && value >= 0) return BigInt(Math.floor(value));
  return typeof value === 'string' && /^\d{1,20}$/.test(value) ? BigInt(value) : 0n;
}
