import { HeddleError } from '@heddle/kernel';
import type { LeasedInstance } from '../registry/lease-table.ts';
import { readInstance } from '../registry/validate-instance.ts';
import { frame, readFrames } from './frame.ts';

/** One change as it is kept: removed if there is no `leased`. */
export interface JournalRecord {
  readonly revision: number;
  readonly service: string;
  readonly id: string;
  readonly leased?: LeasedInstance;
}

/** All that a registry must know after a restart. */
export interface JournalContent {
  readonly term: number;
  readonly revision: number;
  readonly leased: readonly LeasedInstance[];
}

const format = 1;
const instancesPerFrame = 500;

const encode = (value: unknown): Uint8Array => frame(new TextEncoder().encode(JSON.stringify(value)));

/** The changes that were made since the last write. One frame: what is torn is then always the last one. */
export function encodeRecords(records: readonly JournalRecord[]): Uint8Array {
  return encode(records);
}

/** The pieces of a snapshot, to be joined; a generator, so that a large one can be made bit by bit. */
export function* encodeSnapshot(content: JournalContent): Generator<Uint8Array, void> {
  const { term, revision, leased } = content;
  yield encode({ format, term, revision, count: leased.length });
  for (let at = 0; at < leased.length; at += instancesPerFrame)
    yield encode(leased.slice(at, at + instancesPerFrame));
}

/** Reads a snapshot file. It was written in one piece, so any damage is refused: `data_loss` / `REGISTRY_DAMAGED`. */
export function decodeSnapshot(path: string, bytes: Uint8Array): JournalContent {
  const { payloads, goodBytes, tail } = readFrames(bytes);
  if (tail !== 'clean') throw damaged(path, goodBytes);
  const [head, ...rest] = payloads.map((payload) => parse(path, payload));
  const { format: found, term, revision, count } = (head ?? {}) as Record<string, unknown>;
  if (found !== format) throw unknownFormat(path, found);
  const leased = rest.flatMap((part) => (part as unknown[]).map((one) => readLeased(path, one)));
  if (!Number.isSafeInteger(term) || !Number.isSafeInteger(revision) || leased.length !== count)
    throw damaged(path, 0);
  return { term: term as number, revision: revision as number, leased };
}

/** What a journal file says, and how much of it is whole. Damage before its end is refused: `REGISTRY_DAMAGED`. */
export function decodeRecords(
  path: string,
  bytes: Uint8Array,
): { records: JournalRecord[]; goodBytes: number } {
  const { payloads, goodBytes, tail } = readFrames(bytes);
  if (tail === 'damaged') throw damaged(path, goodBytes);
  const records = payloads.flatMap((payload) => parse(path, payload) as JournalRecord[]);
  return { records: records.map((record) => readRecord(path, record)), goodBytes };
}

/** The content after the records. Those that the snapshot already has are skipped; a gap is refused. */
export function replay(
  path: string,
  start: JournalContent,
  records: readonly JournalRecord[],
): JournalContent {
  const leased = new Map(start.leased.map((one) => [`${one.instance.service}/${one.instance.id}`, one]));
  let { revision } = start;
  for (const record of records) {
    if (record.revision <= revision) continue;
    if (record.revision !== revision + 1) throw gap(path, revision, record.revision);
    revision = record.revision;
    const key = `${record.service}/${record.id}`;
    if (record.leased === undefined) leased.delete(key);
    else leased.set(key, record.leased);
  }
  return { term: start.term, revision, leased: [...leased.values()] };
}

function readRecord(path: string, record: JournalRecord): JournalRecord {
  return record.leased === undefined ? record : { ...record, leased: readLeased(path, record.leased) };
}

function readLeased(path: string, given: unknown): LeasedInstance {
  const { instance: candidate, lease, ttlMs } = given as Record<string, unknown>;
  const { instance } = readInstance(candidate);
  if (instance === undefined || typeof lease !== 'string' || typeof ttlMs !== 'number')
    throw damaged(path, 0);
  return { instance, lease, ttlMs };
}

function parse(path: string, payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (cause) {
    throw damaged(path, 0, cause);
  }
}

const remedy =
  'restore the file from a copy, or move the folder away to start empty: live instances register again';

function damaged(path: string, at: number, cause?: unknown): HeddleError {
  const message = `file ${path} is damaged at byte ${at}: expected a whole record with a matching checksum; ${remedy}`;
  return new HeddleError({ code: 'data_loss', reason: 'REGISTRY_DAMAGED', message, cause });
}

function gap(path: string, before: number, after: number): HeddleError {
  const message = `file ${path} goes from revision ${before} to ${after}: expected ${before + 1}; ${remedy}`;
  return new HeddleError({ code: 'data_loss', reason: 'REGISTRY_DAMAGED', message });
}

function unknownFormat(path: string, found: unknown): HeddleError {
  const message = `file ${path} has format ${String(found)}, expected ${format}: it was written by another version; ${remedy}`;
  return new HeddleError({ code: 'failed_precondition', reason: 'REGISTRY_FORMAT', message });
}
