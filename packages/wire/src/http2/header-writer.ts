import { HeddleError } from '@heddle/kernel';
import type { Fields } from '../message/fields.ts';
import { defaultFrameBytes, flag, frameHeaderBytes, frameType } from './frame.ts';
import { writeFrameHeader, writeHeaderBlock } from './frame-writer.ts';
import { HpackEncoder, literalStart, writePlain } from './hpack/encoder.ts';
import { isFieldValue, trait, traitsOf } from './hpack/header-field.ts';
import { lastName } from './known-sections.ts';
import type { Output } from './output.ts';
import { SectionMemory } from './section-memory.ts';
import type { PeerSettings } from './settings.ts';

// Two table size updates of up to five bytes each may come first.
const blockStartBytes = 10;

/**
 * Encodes header and trailer sections and writes them. The fields are checked before anything is encoded, since the
 * compression state must not hold what was never sent.
 */
export class HeaderWriter {
  readonly #output: Output;
  readonly #peer: PeerSettings;
  #encoder: HpackEncoder | undefined;
  #tableBytes: number | undefined;
  #memory: SectionMemory | undefined;

  constructor(output: Output, peer: PeerSettings) {
    this.#output = output;
    this.#peer = peer;
  }

  /** The peer's decoder remembers no more than this from now on. */
  resizeTable(tableBytes: number): void {
    this.#tableBytes = Math.min(tableBytes, 4096);
    this.#encoder?.resize(this.#tableBytes);
  }

  /**
   * Writes one section. `special` comes first, as it is: pseudo-fields and framing fields, name, value, name, value …
   * Fields that are about a connection or about framing are left out: the engine itself says what is to be said.
   * Throws `internal` / `INVALID_FIELD` for a field that may not be sent, and `resource_exhausted` /
   * `FIELDS_TOO_LARGE` for a section that the peer has said it will not take; nothing has been written then.
   */
  write(streamId: number, special: readonly string[], fields: Fields | undefined, endStream: boolean): void {
    if (!this.repeat(streamId, special, fields, endStream))
      this.writeNew(streamId, special, fields, endStream);
  }

  /** As `write`, but only if the very same section was written lately. False: it was not, and nothing is written. */
  repeat(
    streamId: number,
    special: readonly string[],
    fields: Fields | undefined,
    endStream: boolean,
  ): boolean {
    const encoder = this.#encoder;
    if (encoder === undefined || this.#memory === undefined) return false;
    const raw = fields?.raw ?? nothing;
    const steady = steadyLength(raw);
    const kept = this.#memory.find(special, raw, steady, encoder.state);
    if (kept === undefined) return false;
    const last = steady === raw.length ? undefined : (raw[steady + 1] as string);
    const extra = last === undefined ? 0 : countedBytes(lastName, last);
    if (kept.listBytes + extra > this.#peer.maxHeaderListBytes) return false;
    if (last !== undefined && !isFieldValue(last)) return false;
    const { bytes, length } = kept;
    const at = this.#output.reserve(frameHeaderBytes + length + extra);
    const { buffer } = this.#output;
    const start = at + frameHeaderBytes;
    for (let index = 0; index < length; index++) buffer[start + index] = bytes[index] as number;
    let end = start + length;
    if (last !== undefined) {
      for (const byte of lastStart) buffer[end++] = byte;
      end = writePlain(buffer, end, last);
      this.#output.trim(end);
    }
    const flags = flag.endHeaders | (endStream ? flag.endStream : 0);
    writeFrameHeader(buffer, at, end - start, frameType.headers, flags, streamId);
    return true;
  }

  /** As `write`, for a section that cannot be repeated. */
  writeNew(
    streamId: number,
    special: readonly string[],
    fields: Fields | undefined,
    endStream: boolean,
  ): void {
    const raw = fields === undefined ? nothing : sendable(fields.raw);
    const listBytes = this.#listBytes(special, raw);
    // A field takes less than the 32 octets beside its own for which it counts there.
    const bound = listBytes + blockStartBytes;
    if (bound > defaultFrameBytes) {
      const scratch = Buffer.allocUnsafe(bound);
      const block = scratch.subarray(0, this.#encode(scratch, 0, special, raw, raw.length));
      writeHeaderBlock(this.#output, streamId, block, endStream);
      return;
    }
    const encoder = this.#encoder ?? this.#makeEncoder();
    const before = encoder.state;
    const at = this.#output.reserve(frameHeaderBytes + bound);
    const { buffer } = this.#output;
    const start = at + frameHeaderBytes;
    const steady = steadyLength(raw);
    const middle = this.#encode(buffer, start, special, raw, steady);
    const kept = encoder.state === before;
    let end = middle;
    for (let index = steady; index < raw.length; index += 2)
      end = encoder.field(buffer, end, raw[index] as string, raw[index + 1] as string);
    const flags = flag.endHeaders | (endStream ? flag.endStream : 0);
    writeFrameHeader(buffer, at, end - start, frameType.headers, flags, streamId);
    this.#output.trim(end);
    // Where fields were left out, what was written is not what will be asked for.
    if (!kept || (fields !== undefined && raw !== fields.raw)) return;
    this.#memory ??= new SectionMemory();
    const last = steady === raw.length ? 0 : countedBytes(lastName, raw[steady + 1] as string);
    const section = { special, raw, length: steady, listBytes: listBytes - last };
    this.#memory.keep(section, before, buffer, start, middle);
  }

  /** What the section counts for the peer's limit (RFC 9113 section 6.5.2). */
  #listBytes(special: readonly string[], raw: readonly string[]): number {
    let octets = 0;
    for (const text of special) octets += text.length;
    for (const text of raw) octets += text.length;
    const listBytes = octets + (special.length + raw.length) * 16;
    if (listBytes > this.#peer.maxHeaderListBytes) throw this.#tooLarge(listBytes);
    return listBytes;
  }

  #encode(
    out: Buffer,
    offset: number,
    special: readonly string[],
    raw: readonly string[],
    length: number,
  ): number {
    const encoder = this.#encoder ?? this.#makeEncoder();
    let at = encoder.begin(out, offset);
    for (let index = 0; index < special.length; index += 2) {
      at = encoder.field(out, at, special[index] as string, special[index + 1] as string);
    }
    for (let index = 0; index < length; index += 2) {
      at = encoder.field(out, at, raw[index] as string, raw[index + 1] as string);
    }
    return at;
  }

  #makeEncoder(): HpackEncoder {
    const encoder = new HpackEncoder();
    if (this.#tableBytes !== undefined) encoder.resize(this.#tableBytes);
    this.#encoder = encoder;
    return encoder;
  }

  #tooLarge(bytes: number): HeddleError {
    const message = `the fields count ${bytes} bytes; the peer takes ${this.#peer.maxHeaderListBytes}`;
    return new HeddleError({ code: 'resource_exhausted', reason: 'FIELDS_TOO_LARGE', message, sent: false });
  }
}

const nothing: readonly string[] = [];

/** The one field that differs from call to call. As the last of a section it is written behind what is kept of the others. */
const lastStart = literalStart(lastName);

/** How much of `raw` may be the same the next time. */
function steadyLength(raw: readonly string[]): number {
  return raw.at(-2) === lastName ? raw.length - 2 : raw.length;
}

/** What a field counts in a header list (RFC 9113 section 6.5.2); no fewer bytes than it takes. */
function countedBytes(name: string, value: string): number {
  return name.length + value.length + 32;
}
const unsendable = trait.malformed | trait.pseudo;

/** `raw` itself where all of it may be sent, else a copy of what may. */
function sendable(raw: readonly string[]): readonly string[] {
  let all = 0;
  for (let at = 0; at < raw.length; at += 2) {
    const traits = traitsOf(raw[at] as string, raw[at + 1] as string);
    if ((traits & unsendable) !== 0) throw invalidField(raw[at] as string);
    all |= traits;
  }
  if ((all & (trait.connection | trait.framing)) === 0) return raw;
  return raw.filter((_, at) => !isLeftOut(raw[at & ~1] as string, raw[at | 1] as string));
}

function isLeftOut(name: string, value: string): boolean {
  return name === 'content-length' || name === 'host' || (traitsOf(name, value) & trait.connection) !== 0;
}

function invalidField(name: string): HeddleError {
  const message = `the field ${JSON.stringify(name.slice(0, 64))} cannot be sent: its name must be a lower-case token, its value free of control characters`;
  return new HeddleError({ code: 'internal', reason: 'INVALID_FIELD', message, sent: false });
}
