import { DrawnSpan, type TraceContext } from '@heddle/kernel';
import type { Fields } from '../message/fields.ts';

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const b3Single = /^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-([01d]))?(?:-[0-9a-f]{16})?$/;

/**
 * The trace context of a message: W3C `traceparent` and `tracestate` (Trace Context, level 1), else B3 in its single
 * or its many-field form, else Jaeger's `uber-trace-id`. Malformed ones count as none, as the recommendation says.
 */
export function readTrace(fields: Fields): TraceContext | undefined {
  const parent = fields.get('traceparent');
  if (parent === undefined) return readB3(fields) ?? readJaeger(fields);
  const [version, traceId, spanId, flags, rest] = partsOf(parent);
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined)
    return undefined;
  // Version ff is forbidden; version 00 has nothing after the flags; later ones may.
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (isZero(traceId) || isZero(spanId)) return undefined;
  const sampled = isOdd(flags);
  const state = fields.has('tracestate') ? fields.all('tracestate').join(',') : '';
  return state === '' || state.length > 512
    ? { traceId, spanId, sampled }
    : { traceId, spanId, sampled, state };
}

type Parts = readonly [
  version?: string,
  traceId?: string,
  spanId?: string,
  flags?: string,
  rest?: string | undefined,
];

/** What `traceparent` finds. What nearly all send is cut at its places, which costs a third of that. */
function partsOf(parent: string): Parts {
  if (parent.length !== 55 || !parent.startsWith('00-'))
    return (traceparent.exec(parent)?.slice(1) ?? []) as unknown as Parts;
  for (let at = 3; at < 55; at++) {
    const code = parent.charCodeAt(at);
    const isDigit = (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66);
    if (at === 35 || at === 52 ? code !== 0x2d : !isDigit) return [];
  }
  return ['00', parent.slice(3, 35), parent.slice(36, 52), parent.slice(53), undefined];
}

/** True for a field that `readTrace` begins with. */
export function isTraceField(name: string): boolean {
  return name === 'traceparent' || name === 'b3' || name === 'x-b3-traceid' || name === 'uber-trace-id';
}

/** Puts the trace context on a message, in W3C form; one that nobody has decided on stays here. */
export function writeTrace(trace: TraceContext, fields: Fields): void {
  if (trace.undecided === true) return;
  if (trace.state !== undefined) fields.set('tracestate', trace.state);
  fields.set('traceparent', trace instanceof DrawnSpan ? drawn(trace) : textOf(trace));
}

function textOf({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`;
}

const digits = Buffer.from('0123456789abcdef', 'latin1');
const scratch = Buffer.from(
  textOf({ traceId: '0'.repeat(32), spanId: '0'.repeat(16), sampled: false }),
  'latin1',
);
let prefix = '';

/** As `textOf`, in a third of the time: most calls have a trace of their own, and this once in each. */
function drawn(span: DrawnSpan): string {
  if (span.prefix !== prefix) {
    ({ prefix } = span);
    scratch.write(prefix, 3, 'latin1');
  }
  writeHex(19, span.traceHigh);
  writeHex(27, span.traceLow);
  writeHex(36, span.spanHigh);
  writeHex(44, span.spanLow);
  scratch[54] = digits[span.sampled ? 1 : 0] as number;
  return scratch.toString('latin1');
}

function writeHex(start: number, word: number): void {
  let rest = word;
  for (let at = start + 7; at >= start; at--) {
    scratch[at] = digits[rest & 15] as number;
    rest >>>= 4;
  }
}

function readB3(fields: Fields): TraceContext | undefined {
  const single = fields.get('b3');
  if (single !== undefined) {
    const [, traceId, spanId, sampled] = b3Single.exec(single) ?? [];
    return fromB3(traceId, spanId, sampled);
  }
  const flags = fields.get('x-b3-flags') === '1' ? 'd' : undefined;
  return fromB3(fields.get('x-b3-traceid'), fields.get('x-b3-spanid'), flags ?? fields.get('x-b3-sampled'));
}

function fromB3(
  trace: string | undefined,
  spanId: string | undefined,
  sampled: string | undefined,
): TraceContext | undefined {
  if (trace === undefined || spanId === undefined) return undefined;
  if (!/^([0-9a-f]{16}|[0-9a-f]{32})$/.test(trace) || !/^[0-9a-f]{16}$/.test(spanId)) return undefined;
  // B3 allows trace ids of 64 bits; they are the lower half of a W3C one.
  const traceId = trace.padStart(32, '0');
  if (isZero(traceId) || isZero(spanId)) return undefined;
  return { traceId, spanId, sampled: sampled === '1' || sampled === 'd' };
}

/** `trace:span:parent:flags`, each in hex without leading zeros. */
function readJaeger(fields: Fields): TraceContext | undefined {
  const [, trace, span, flags] =
    /^([0-9a-f]{1,32}):([0-9a-f]{1,16}):[0-9a-f]{1,16}:([0-9a-f]{1,2})$/.exec(
      fields.get('uber-trace-id') ?? '',
    ) ?? [];
  if (trace === undefined || span === undefined || flags === undefined) return undefined;
  const traceId = trace.padStart(32, '0');
  const spanId = span.padStart(16, '0');
  if (isZero(traceId) || isZero(spanId)) return undefined;
  return { traceId, spanId, sampled: isOdd(flags) };
}

/** The lowest bit of lower-case hex digits. The codes of digits have it, those of letters have its opposite. */
function isOdd(digits: string): boolean {
  const code = digits.charCodeAt(digits.length - 1);
  return ((code < 0x3a ? code : code + 1) & 1) === 1;
}

function isZero(id: string): boolean {
  for (let at = 0; at < id.length; at++) if (id.charCodeAt(at) !== 0x30) return false;
  return true;
}
