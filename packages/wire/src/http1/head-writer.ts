import { HeddleError } from '@heddle/kernel';
import type { Fields } from '../message/fields.ts';
import type { FieldMemory } from './field-memory.ts';
import { COLON, CR, LF, SP, tokenOctets, valueOctets } from './octets.ts';

const slabBytes = 65_536;
const contentLength = Buffer.from('content-length: ');
// Longer texts are encoded by the system at a third of the price, above all those that were put together of pieces.
const nativeFrom = 20;

type Utf8Write = (this: Uint8Array, text: string, offset: number, length: number) => number;

const { utf8Write } = Buffer.prototype as unknown as { readonly utf8Write: Utf8Write };

/**
 * Fields that the engine writes itself, or that concern one connection only. A service that sets them has no say:
 * what comes out of a gateway with HTTP/2 in front must not steer the framing behind it.
 */
const engineNames: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'proxy-connection',
  'upgrade',
  'te',
  'host',
  'http2-settings',
  'expect',
]);

/**
 * Writes heads as bytes, checking every one on the way: a name, value or target with a character that could end its
 * line never leaves (RFC 9110 section 5.5). Space comes from slabs, so a head costs no allocation but its view.
 * For one head at a time: `begin`, then the parts, then `take`.
 */
export class HeadWriter {
  #slab: Buffer = Buffer.allocUnsafeSlow(slabBytes);
  #start = 0;
  #at = 0;

  /** Starts anew; what was written and not taken is forgotten. */
  begin(): void {
    this.#at = this.#start;
  }

  /** Text of the engine's own, which needs no check. What is the same again and again is better kept as bytes. */
  text(text: string): void {
    this.#reserve(text.length);
    const slab = this.#slab;
    let at = this.#at;
    for (let i = 0; i < text.length; i++) slab[at++] = text.charCodeAt(i);
    this.#at = at;
  }

  /** The Content-Length field. */
  length(bytes: number): void {
    this.bytes(contentLength);
    this.text(String(bytes));
    this.lineEnd();
  }

  /** The end of a line, or of the head. */
  lineEnd(): void {
    this.#reserve(2);
    this.#slab[this.#at++] = CR;
    this.#slab[this.#at++] = LF;
  }

  /** Text in which every character must be allowed by the table, and of which there must be some. */
  checked(text: string, allowed: Uint8Array, what: string): void {
    if (text.length === 0) throw illegal(what, text);
    this.#write(text, allowed, what);
  }

  /**
   * All of them, each checked, without those that are the engine's. Those that are, from the first on, the ones that
   * `memory` knows are copied: they were checked then.
   */
  fields({ raw }: Fields, memory: FieldMemory): void {
    const count = raw.length / 2;
    let field = memory.common(raw);
    if (field > 0) {
      const length = memory.lengthOf(field);
      this.#reserve(length);
      memory.copyTo(this.#slab, this.#at, field);
      this.#at += length;
    }
    for (let isKept = memory.wants; field < count; field++) {
      const name = raw[field * 2] as string;
      const value = raw[field * 2 + 1] as string;
      const before = this.#at - this.#start;
      if (!engineNames.has(name)) this.field(name, value);
      // From the start of the head: its place may have changed, for want of space.
      if (isKept)
        isKept = memory.keep(field, name, value, this.#slab.subarray(this.#start + before, this.#at));
    }
  }

  /** One field line. */
  field(name: string, value: string): void {
    this.checked(name, tokenOctets, 'field name');
    this.#reserve(2);
    this.#slab[this.#at++] = COLON;
    this.#slab[this.#at++] = SP;
    this.#write(value, valueOctets, 'field value');
    this.lineEnd();
  }

  /** Appends bytes: prepared parts of a head, or a small content that goes out with it. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength);
    this.#slab.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  /** What has been written. It will not change. */
  take(): Uint8Array {
    const taken = this.#slab.subarray(this.#start, this.#at);
    this.#start = this.#at;
    return taken;
  }

  /**
   * The system has taken these bytes, whoever's they are: where they are what was taken last, their space is used
   * again. So a server that keeps up writes all its heads into the same few cache lines.
   */
  giveBack(bytes: Uint8Array): void {
    const { buffer, byteOffset } = this.#slab;
    const from = bytes.byteOffset - byteOffset;
    if (bytes.buffer !== buffer || from + bytes.byteLength !== this.#start) return;
    // A head that is being written behind them keeps its place.
    if (this.#at === this.#start) this.#at = from;
    else return;
    this.#start = from;
  }

  #write(text: string, allowed: Uint8Array, what: string): void {
    const { length } = text;
    if (length >= nativeFrom) {
      // As UTF-8 a character takes one byte or it is not ASCII.
      this.#reserve(length * 3);
      const from = this.#at;
      if (utf8Write.call(this.#slab, text, from, length * 3) === length) {
        const slab = this.#slab;
        const end = from + length;
        for (let at = from; at < end; at++) if (allowed[slab[at] as number] !== 1) throw illegal(what, text);
        this.#at = end;
        return;
      }
    }
    this.#reserve(length);
    const slab = this.#slab;
    let at = this.#at;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0xff || allowed[code] !== 1) throw illegal(what, text);
      slab[at++] = code;
    }
    this.#at = at;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#slab.byteLength) return;
    const written = this.#at - this.#start;
    const larger = Buffer.allocUnsafeSlow(Math.max(slabBytes, (written + bytes) * 2));
    this.#slab.copy(larger, 0, this.#start, this.#at);
    this.#slab = larger;
    this.#start = 0;
    this.#at = written;
  }
}

/** The one that all connections share: a head is written in one go. */
export const headWriter: HeadWriter = new HeadWriter();

function illegal(what: string, text: string): HeddleError {
  const shown = JSON.stringify(text.slice(0, 64));
  const message = `the ${what} ${shown} has a character that HTTP/1.1 does not allow there; encode it first`;
  return new HeddleError({ code: 'invalid_argument', reason: 'ILLEGAL_HEAD', message, sent: false });
}
