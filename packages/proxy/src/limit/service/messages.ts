// The messages of Envoy's rate limit service (envoy/service/ratelimit/v3/rls.proto), as far as they say something here.
import { HeddleError } from '@heddle/kernel';
import { ProtobufReader, ProtobufWriter } from '@heddle/telemetry';

/** A set of entries that one limit is looked up by. */
export interface Descriptor {
  readonly entries: readonly { readonly key: string; readonly value: string }[];
  /** The Envoy's own limit, instead of a configured one. */
  readonly override: { readonly limit: number; readonly windowMs: number } | undefined;
  /** What the request takes; undefined: as the request says. */
  readonly hits: number | undefined;
}

/** A `RateLimitRequest`. */
export interface RateLimitQuestion {
  readonly domain: string;
  readonly descriptors: readonly Descriptor[];
  readonly hits: number;
}

/** What became of one descriptor. */
export interface DescriptorStatus {
  readonly admitted: boolean;
  /** Undefined: no limit is for it. */
  readonly limit?: { readonly requests: number; readonly windowMs: number; readonly name: string };
  readonly remaining?: number;
  readonly resetMs?: number;
}

// RateLimitResponse.RateLimit.Unit and envoy.type.v3.RateLimitUnit begin alike. A month is thirty days there.
const unitMs = [0, 1000, 60_000, 3_600_000, 86_400_000, 30 * 86_400_000, 365 * 86_400_000, 7 * 86_400_000];
const mostDescriptors = 100;

/** Reads a `RateLimitRequest`. Throws `invalid_argument`: `BAD_PROTOBUF`, `BAD_QUESTION`. */
export function readQuestion(bytes: Uint8Array): RateLimitQuestion {
  const reader = new ProtobufReader(bytes);
  let domain = '';
  let hits = 0;
  const descriptors: Descriptor[] = [];
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) domain = reader.text();
    else if (tag === 18) descriptors.push(readDescriptor(reader));
    else if (tag === 24) hits = reader.uint();
    else reader.skip(tag);
  }
  if (domain === '') throw bad('a domain', 'none');
  if (descriptors.length === 0 || descriptors.length > mostDescriptors)
    throw bad(`1 to ${mostDescriptors} descriptors`, String(descriptors.length));
  return { domain, descriptors, hits: hits === 0 ? 1 : hits };
}

function readDescriptor(reader: ProtobufReader): Descriptor {
  const entries: { key: string; value: string }[] = [];
  let override: Descriptor['override'];
  let hits: number | undefined;
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) {
      const [key, value] = readTexts(reader);
      entries.push({ key, value });
    } else if (tag === 18) override = readOverride(reader);
    else if (tag === 26) hits = readNumbers(reader)[1] ?? 0;
    // A request that gives something back: none of our algorithms can.
    else if (tag === 32 && reader.uint() !== 0) throw bad('hits that are taken', 'negative ones');
    else if (tag !== 32) reader.skip(tag);
  }
  reader.close(outer);
  if (entries.length === 0) throw bad('a descriptor with entries', 'one without');
  if (hits === 0) throw bad('hits_addend of at least 1', '0');
  return { entries, override, hits };
}

function readTexts(reader: ProtobufReader): [string, string] {
  const texts: [string, string] = ['', ''];
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if (tag === 10) texts[0] = reader.text();
    else if (tag === 18) texts[1] = reader.text();
    else reader.skip(tag);
  }
  reader.close(outer);
  return texts;
}

/** The numbers of a message of numbers, by field. */
function readNumbers(reader: ProtobufReader): number[] {
  const numbers: number[] = [];
  const outer = reader.open();
  while (reader.more) {
    const tag = reader.tag();
    if ((tag & 7) === 0 && tag >>> 3 < 10) numbers[tag >>> 3] = reader.uint();
    else reader.skip(tag);
  }
  reader.close(outer);
  return numbers;
}

function readOverride(reader: ProtobufReader): Descriptor['override'] {
  const [, limit = 0, unit = 0] = readNumbers(reader);
  const windowMs = unitMs[unit] ?? 0;
  if (limit < 1 || windowMs === 0)
    throw bad(
      'a limit of at least 1 per second, minute, hour, day, week, month or year',
      `${limit} per unit ${unit}`,
    );
  return { limit, windowMs };
}

/** Writes a `RateLimitResponse`; `retryAfterMs` becomes a field of the Envoy's refusal. */
export function writeAnswer(
  admitted: boolean,
  statuses: readonly DescriptorStatus[],
  retryAfterMs: number | undefined,
): Uint8Array {
  const writer = new ProtobufWriter();
  writer.uint(1, codeOf(admitted));
  for (const status of statuses) writeStatus(writer, status);
  if (retryAfterMs !== undefined) {
    const start = writer.open(3);
    writer.text(1, 'retry-after');
    writer.text(2, String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
    writer.close(start);
  }
  return writer.finish();
}

function writeStatus(
  writer: ProtobufWriter,
  { admitted, limit, remaining, resetMs }: DescriptorStatus,
): void {
  const status = writer.open(2);
  writer.uint(1, codeOf(admitted));
  if (limit !== undefined) {
    const of = writer.open(2);
    writer.uint(1, limit.requests);
    writer.uint(2, Math.max(0, unitMs.indexOf(limit.windowMs)));
    writer.text(3, limit.name);
    writer.close(of);
  }
  if (remaining !== undefined) writer.uint(3, Math.max(0, Math.floor(remaining)));
  if (resetMs !== undefined && Number.isFinite(resetMs)) {
    const duration = writer.open(4);
    writer.uint(1, Math.floor(resetMs / 1000));
    writer.uint(2, Math.floor((resetMs % 1000) * 1_000_000));
    writer.close(duration);
  }
  writer.close(status);
}

function codeOf(admitted: boolean): number {
  return admitted ? 1 : 2;
}

function bad(expected: string, found: string): HeddleError {
  const message = `a rate limit request: expected ${expected}, found ${found}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_QUESTION', message, sent: false });
}
