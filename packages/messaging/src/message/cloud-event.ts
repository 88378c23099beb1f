import type { TraceContext } from '@heddle/kernel';
import type { Message, MessageKind } from './message.ts';

/**
 * A message without its payload, as the string attributes of CloudEvents 1.0: an engine with headers sends each under
 * its own prefix (`ce_` in Kafka, `ce-` in NATS, `cloudEvents:` in AMQP), one without stores them beside the payload.
 * The attributes that CloudEvents does not know are extensions, in its spelling: lower-case letters and digits.
 * Source: CloudEvents 1.0.2, section 3; distributed tracing and partitioning extensions.
 */
export type Attributes = Readonly<Record<string, string>>;

/** Headers of the application travel under this prefix. */
const headerPrefix = 'hdr';

/** Writes the attributes; those with their default value are left out. */
export function toAttributes(message: Message): Attributes {
  const out: Record<string, string> = {
    specversion: '1.0',
    id: message.id,
    source: message.source,
    type: message.type,
    time: timeText(message.timeMs),
    datacontenttype: message.contentType,
  };
  if (message.kind !== 'event') out['messagekind'] = message.kind;
  // The first of a conversation correlates with itself.
  if (message.correlationId !== message.id) out['correlationid'] = message.correlationId;
  if (message.key !== '') out['partitionkey'] = message.key;
  if (message.schema !== '') out['dataschema'] = message.schema;
  if (message.schemaVersion !== 0) out['schemaversion'] = String(message.schemaVersion);
  if (message.causationId !== '') out['causationid'] = message.causationId;
  if (message.replyTo !== '') out['replyto'] = message.replyTo;
  if (message.aggregateId !== '') out['subject'] = message.aggregateId;
  if (message.aggregateVersion !== 0) out['aggregateversion'] = String(message.aggregateVersion);
  if (message.deliverAtMs !== 0) out['deliverat'] = String(message.deliverAtMs);
  if (message.trace !== undefined) {
    out['traceparent'] = traceparent(message.trace);
    if (message.trace.state !== undefined) out['tracestate'] = message.trace.state;
  }
  for (const [name, value] of Object.entries(message.headers)) out[`${headerPrefix}${escaped(name)}`] = value;
  return out;
}

let last = { ms: 0, text: new Date(0).toISOString() };

/** Messages of one batch are of one time. */
function timeText(ms: number): string {
  if (ms !== last.ms) last = { ms, text: new Date(ms).toISOString() };
  return last.text;
}

/** Reads attributes back. What other senders leave out gets the defaults; an id and a source there must be. */
export function fromAttributes(topic: string, attributes: Attributes, payload: Uint8Array): Message {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes))
    if (name.startsWith(headerPrefix)) headers[unescaped(name.slice(headerPrefix.length))] = value;
  const at = Date.parse(attributes['time'] ?? '');
  return Object.freeze({
    id: attributes['id'] ?? '',
    kind: kindOf(attributes['messagekind']),
    topic,
    key: attributes['partitionkey'] ?? '',
    type: attributes['type'] ?? topic,
    payload,
    contentType: attributes['datacontenttype'] ?? 'application/octet-stream',
    schema: attributes['dataschema'] ?? '',
    schemaVersion: wholeOf(attributes['schemaversion']),
    source: attributes['source'] ?? 'unknown',
    correlationId: attributes['correlationid'] ?? attributes['id'] ?? '',
    causationId: attributes['causationid'] ?? '',
    replyTo: attributes['replyto'] ?? '',
    timeMs: Number.isNaN(at) ? 0 : at,
    aggregateId: attributes['subject'] ?? '',
    aggregateVersion: wholeOf(attributes['aggregateversion']),
    deliverAtMs: wholeOf(attributes['deliverat']),
    trace: traceOf(attributes['traceparent'], attributes['tracestate']),
    headers,
  });
}

function kindOf(text: string | undefined): MessageKind {
  return text === 'command' || text === 'query' ? text : 'event';
}

function wholeOf(text: string | undefined): number {
  const number = Number(text ?? 0);
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}

function traceparent({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

function traceOf(parent: string | undefined, state: string | undefined): TraceContext | undefined {
  const parts = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(parent ?? '');
  if (parts === null) return undefined;
  const [, traceId = '', spanId = '', flags = '00'] = parts;
  const sampled = (Number.parseInt(flags, 16) & 1) === 1;
  return { traceId, spanId, sampled, ...(state !== undefined && { state }) };
}

// Header names have `-`, `.` and `_`, attribute names have not: each is written as `0` and a letter, and 0 as `00`.
function escaped(name: string): string {
  return name.replaceAll('0', '00').replaceAll('-', '0m').replaceAll('.', '0d').replaceAll('_', '0u');
}

function unescaped(name: string): string {
  return name.replaceAll(
    /0([0mdu])/g,
    (_, letter: string) => ({ '0': '0', m: '-', d: '.', u: '_' })[letter] ?? '',
  );
}
