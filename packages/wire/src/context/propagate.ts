import {
  attempt,
  baggage,
  type Call,
  type CallKey,
  correlationId,
  HeddleError,
  idempotencyKey,
  type Layer,
  perform,
  type Priority,
  priority,
  tenantId,
  traceContext,
  userId,
} from '@heddle/kernel';
import type { Fields } from '../message/fields.ts';
import type { HttpRequest, HttpResponse } from '../message/http.ts';
import { previousAttempts } from './previous-attempts.ts';
import {
  readConnectTimeout,
  readGrpcTimeout,
  readRequestTimeout,
  writeConnectTimeout,
  writeGrpcTimeout,
  writeRequestTimeout,
} from './timeout-field.ts';
import { isTraceField, readTrace, writeTrace } from './trace-fields.ts';

/** The plain ones: a field's name, the key it belongs to, and the longest value that is taken. */
const texts: readonly (readonly [name: string, key: CallKey<string | undefined>, longest: number])[] = [
  ['x-correlation-id', correlationId, 256],
  ['x-user-id', userId, 256],
  ['x-tenant-id', tenantId, 256],
  ['idempotency-key', idempotencyKey, 256],
  ['baggage', baggage, 8192],
];

/** Of the Connect protocol, whose unary calls look like any other HTTP: whoever says it is one of its clients. */
const connectTimeout = 'connect-timeout-ms';

const priorities: ReadonlySet<string> = new Set<Priority>(['critical', 'normal', 'sheddable']);

/** All fields that carry context. An edge that faces strangers removes these from what they send. */
export const contextFields: readonly string[] = [
  ...texts.map(([name]) => name),
  'x-priority',
  'grpc-timeout',
  'connect-timeout-ms',
  'x-request-timeout',
  'traceparent',
  'tracestate',
];

/**
 * For clients: puts the call's context on the request, time left included. What the request already says itself
 * (an explicit header) stands. Innermost above the wire, so that each attempt sends the time that is left then.
 */
export const propagateOut: Layer<HttpRequest, HttpResponse> = (next) => (req, call) => {
  const fields = req.fields.clone();
  writeContext(call, fields);
  return next({ ...req, fields }, call);
};

/**
 * For servers: the handler's call is a child that carries what the request says, with its deadline. Outermost, since
 * all below reads it. A deadline that cannot be read is refused: serving without one could take for ever.
 */
export const propagateIn: Layer<HttpRequest, HttpResponse> = (next) => (req, call) => {
  let timeoutMs: number | undefined;
  try {
    timeoutMs = readTimeout(req.fields);
  } catch (unreadable) {
    return Promise.reject(HeddleError.from(unreadable));
  }
  const nowMs = timeoutMs === undefined ? undefined : call.runtime.clock.nowMs();
  const child = call.child(nowMs === undefined ? undefined : nowMs + (timeoutMs ?? 0), nowMs);
  readContext(req.fields, child);
  return perform(next, req, child);
};

/** Writes the call's context to the fields of a message that goes out, where they do not say it yet. */
export function writeContext(call: Call, fields: Fields): void {
  for (const [name, key] of texts) {
    const value = call.get(key);
    if (value !== undefined && !fields.has(name) && isPlain(value)) fields.append(name, value);
  }
  const weight = call.get(priority);
  if (weight !== priority.fallback && !fields.has('x-priority')) fields.append('x-priority', weight);
  writeTime(call, fields);
  // Last: it differs from call to call, and HTTP/2 writes what comes before as it did the last time.
  const trace = call.get(traceContext);
  if (trace !== undefined) writeTrace(trace, fields);
}

function writeTime(call: Call, fields: Fields): void {
  const remainingMs = call.remainingMs();
  if (remainingMs === Number.POSITIVE_INFINITY) return;
  const leftMs = Math.max(0, remainingMs);
  if (isGrpc(fields)) fields.set('grpc-timeout', writeGrpcTimeout(leftMs));
  else if (fields.has(connectTimeout)) fields.set(connectTimeout, writeConnectTimeout(leftMs));
  else fields.set('x-request-timeout', writeRequestTimeout(leftMs));
}

/** Takes a field's value over onto a call, if it is good. */
type Take = (call: Call, value: string) => void;

const takes: ReadonlyMap<string, Take> = new Map<string, Take>([
  ...texts.map(([name, key, longest]): [string, Take] => [
    name,
    (call, value) => {
      // What a layer above has put on both is known to be good.
      if (call.get(key) === value) return;
      if (value.length > 0 && value.length <= longest && isPlain(value)) call.set(key, value);
    },
  ]),
  ['x-priority', (call, value) => void (priorities.has(value) && call.set(priority, value as Priority))],
  [previousAttempts, (call, value) => void (/^\d{1,4}$/.test(value) && call.set(attempt, Number(value) + 1))],
]);

/** Sets on the call what the fields of a message say. What is malformed or too long counts as not said. */
export function readContext(fields: Fields, call: Call): void {
  const { raw } = fields;
  let isTraced = false;
  // In one pass: most fields are none of these.
  for (let at = 0; at < raw.length; at += 2) {
    const name = raw[at] as string;
    const take = takes.get(name);
    if (take === undefined) isTraced ||= isTraceField(name);
    // Of a field that is repeated the first one counts.
    else if (fields.get(name) === raw[at + 1]) take(call, raw[at + 1] as string);
  }
  const trace = isTraced ? readTrace(fields) : undefined;
  if (trace !== undefined) call.set(traceContext, trace);
}

/** The time that a message gives its receiver. Throws `invalid_argument` if it says one that cannot be read. */
function readTimeout(fields: Fields): number | undefined {
  const [name, read] = timeoutFieldOf(fields);
  const text = fields.get(name);
  if (text === undefined) return undefined;
  const ms = read(text);
  if (ms !== undefined) return ms;
  const message = `the field ${name} is not a duration: ${JSON.stringify(text.slice(0, 40))}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_TIMEOUT', message, sent: false });
}

type TimeoutField = readonly [name: string, read: (text: string) => number | undefined];

function timeoutFieldOf(fields: Fields): TimeoutField {
  if (isGrpc(fields)) return ['grpc-timeout', readGrpcTimeout];
  if (fields.has(connectTimeout)) return [connectTimeout, readConnectTimeout];
  return ['x-request-timeout', readRequestTimeout];
}

function isGrpc(fields: Fields): boolean {
  return fields.get('content-type')?.startsWith('application/grpc') === true;
}

/** Visible ASCII and blanks: what is safe in a field, in a log line and in a file. */
function isPlain(value: string): boolean {
  return /^[\x20-\x7e]*$/.test(value);
}
