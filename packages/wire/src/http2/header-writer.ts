import { HeddleError } from '@heddle/kernel';
import type { Fields } from '../message/fields.ts';
import { defaultFrameBytes, flag, frameHeaderBytes, frameType } from './frame.ts';
import { writeFrameHeader, writeHeaderBlock } from './frame-writer.ts';
import { HpackEncoder } from './hpack/encoder.ts';
import { trait, traitsOf } from './hpack/header-field.ts';
import type { Output } from './output.ts';
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
    const raw = fields === undefined ? nothing : sendable(fields.raw);
    const bound = this.#bound(special, raw);
    if (bound > defaultFrameBytes) {
      const scratch = Buffer.allocUnsafe(bound);
      const block = scratch.subarray(0, this.#encode(scratch, 0, special, raw));
      writeHeaderBlock(this.#output, streamId, block, endStream);
      return;
    }
    const at = this.#output.reserve(frameHeaderBytes + bound);
    const { buffer } = this.#output;
    const start = at + frameHeaderBytes;
    const end = this.#encode(buffer, start, special, raw);
    const flags = flag.endHeaders | (endStream ? flag.endStream : 0);
    writeFrameHeader(buffer, at, end - start, frameType.headers, flags, streamId);
    this.#output.trim(end);
  }

  /** The most bytes that the block can take. */
  #bound(special: readonly string[], raw: readonly string[]): number {
    let octets = 0;
    for (const text of special) octets += text.length;
    for (const text of raw) octets += text.length;
    const fields = (special.length + raw.length) >> 1;
    if (octets + fields * 32 > this.#peer.maxHeaderListBytes) throw this.#tooLarge(octets + fields * 32);
    return octets + fields * HpackEncoder.bound('', '') + blockStartBytes;
  }

  #encode(out: Buffer, offset: number, special: readonly string[], raw: readonly string[]): number {
    const encoder = this.#encoder ?? this.#makeEncoder();
    let at = encoder.begin(out, offset);
    for (let index = 0; index < special.length; index += 2) {
      at = encoder.field(out, at, special[index] as string, special[index + 1] as string);
    }
    for (let index = 0; index < raw.length; index += 2) {
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
