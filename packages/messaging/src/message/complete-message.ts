import {
  baggage,
  type Call,
  type CallKey,
  correlationId,
  type ErrorDetail,
  HeddleError,
  type Runtime,
  tenantId,
  type TraceContext,
  traceContext,
  userId,
} from '@heddle/kernel';
import { isTopicName, topicNameRule } from '../topic/topic.ts';
import { type Message, type MessageInit, messageKinds } from './message.ts';

/** Who completes messages: the runtime that gives time and ids, and the name of this service. */
export interface Sender {
  readonly runtime: Runtime;
  readonly source: string;
}

/** The largest payload that any engine takes here: 8 MiB. An engine may take less, and says so. */
export const maxPayloadBytes: number = 8 * 1024 * 1024;

/**
 * Fills in the defaults and checks every field, before anything is sent.
 * Throws `invalid_argument` / `BAD_MESSAGE`, `sent: false`, with all problems at once.
 */
export function completeMessage(init: MessageInit, sender: Sender, call?: Call): Message {
  const full = withDefaults(init, sender, call);
  if (rules.every((rule) => rule.holds(full))) return Object.freeze(full);
  const problems = rules
    .filter((rule) => !rule.holds(full))
    .map(({ field, expected }) => ({ field, expected, found: show(full[field]) }));
  throw badMessage(full, problems);
}

function withDefaults(init: MessageInit, { runtime, source }: Sender, call: Call | undefined): Message {
  const id = init.id ?? runtime.random.uuid();
  return {
    id,
    kind: init.kind ?? 'event',
    topic: init.topic,
    key: init.key ?? '',
    type: init.type ?? init.topic,
    payload: init.payload,
    contentType: init.contentType ?? 'application/json',
    schema: init.schema ?? '',
    schemaVersion: init.schemaVersion ?? 0,
    source: init.source ?? source,
    correlationId: init.correlationId ?? call?.get(correlationId) ?? id,
    causationId: init.causationId ?? '',
    replyTo: init.replyTo ?? '',
    timeMs: init.timeMs ?? Math.floor(runtime.clock.wallMs()),
    aggregateId: init.aggregateId ?? '',
    aggregateVersion: init.aggregateVersion ?? 0,
    deliverAtMs: init.deliverAtMs ?? 0,
    trace: init.trace ?? decidedTrace(call),
    headers: call === undefined ? { ...init.headers } : { ...contextHeaders(call), ...init.headers },
  };
}

function decidedTrace(call: Call | undefined): TraceContext | undefined {
  const trace = call?.get(traceContext);
  return trace?.undecided === true ? undefined : trace;
}

/** What of a call's context travels as a header, under the name that HTTP gives it. */
export const carried: readonly (readonly [string, CallKey<string | undefined>])[] = [
  ['x-user-id', userId],
  ['x-tenant-id', tenantId],
  ['baggage', baggage],
];

function contextHeaders(call: Call): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, key] of carried) {
    const value = call.get(key);
    if (value !== undefined) headers[name] = value;
  }
  return headers;
}

interface Rule {
  readonly field: keyof Message;
  readonly expected: string;
  holds(message: Message): boolean;
}

const plain = (field: keyof Message, least: number, most: number): Rule => ({
  field,
  expected: `${least} to ${most} characters, none of them a control character`,
  holds: (message) => isPlain(message[field], least, most),
});

const whole = (field: keyof Message): Rule => ({
  field,
  expected: 'a whole number, 0 or more',
  holds: (message) => Number.isSafeInteger(message[field]) && (message[field] as number) >= 0,
});

const rules: readonly Rule[] = [
  plain('id', 1, 200),
  {
    field: 'kind',
    expected: `one of ${messageKinds.join(', ')}`,
    holds: ({ kind }) => messageKinds.includes(kind),
  },
  { field: 'topic', expected: topicNameRule, holds: ({ topic }) => isTopicName(topic) },
  plain('key', 0, 512),
  plain('type', 1, 200),
  {
    field: 'payload',
    expected: `bytes, at most ${maxPayloadBytes} of them`,
    holds: ({ payload }) => payload instanceof Uint8Array && payload.byteLength <= maxPayloadBytes,
  },
  plain('contentType', 1, 200),
  plain('schema', 0, 200),
  whole('schemaVersion'),
  plain('source', 1, 200),
  {
    ...plain('correlationId', 1, 200),
    // By default it is the id, of which all is said above.
    holds: ({ id, correlationId: correlation }) => correlation === id || isPlain(correlation, 1, 200),
  },
  plain('causationId', 0, 200),
  {
    field: 'replyTo',
    expected: topicNameRule,
    holds: ({ replyTo }) => replyTo === '' || isTopicName(replyTo),
  },
  whole('timeMs'),
  plain('aggregateId', 0, 512),
  whole('aggregateVersion'),
  whole('deliverAtMs'),
  {
    field: 'headers',
    expected: 'at most 64 lower-case names with strings of up to 4096 characters, none a control character',
    holds: ({ headers }) => areHeaders(headers),
  },
];

function areHeaders(headers: unknown): boolean {
  if (typeof headers !== 'object' || headers === null) return false;
  const entries = Object.entries(headers);
  return (
    entries.length <= 64 &&
    entries.every(([name, value]) => /^[a-z0-9][a-z0-9._-]{0,127}$/.test(name) && isPlain(value, 0, 4096))
  );
}

function isPlain(value: unknown, least: number, most: number): boolean {
  return typeof value === 'string' && value.length >= least && value.length <= most && !/\p{Cc}/u.test(value);
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`;
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function badMessage(
  message: Message,
  problems: readonly { field: string; expected: string; found: string }[],
): HeddleError {
  const said = problems.map(({ field, expected, found }) => `${field}: expected ${expected}, found ${found}`);
  const details: readonly ErrorDetail[] = problems.map((value) => ({ type: 'heddle.FieldViolation', value }));
  return new HeddleError({
    code: 'invalid_argument',
    reason: 'BAD_MESSAGE',
    message: `a message for ${show(message.topic)} cannot be sent: ${said.join('; ')}`,
    sent: false,
    details,
  });
}
