import { HeddleError } from '@heddle/kernel';

// Names of attributes and spans come again and again: a table of those seen last saves making the same strings anew.
const internSlots = 4096;
const longestInterned = 64;
const interned: string[] = Array.from({ length: internSlots }, () => '');

/**
 * Reads protobuf's wire format (protobuf.dev/programming-guides/encoding) from a buffer, forwards and without copies.
 * `open` and `close` walk into a nested message and out of it. Throws `invalid_argument` / `BAD_PROTOBUF`.
 */
export class ProtobufReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #buffer: Buffer;
  #at = 0;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.byteLength;
  }

  /** False at the end of the message that is open. */
  get more(): boolean {
    return this.#at < this.#end;
  }

  /** The next field's number times eight, plus its wire type. */
  tag(): number {
    return this.uint();
  }

  /** A varint; beyond 2^53 it is rounded. */
  uint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++] as number;
    if (byte < 128 && this.#at <= this.#end) return byte;
    let value = byte & 127;
    for (let factor = 128, read = 1; read < 10; read++, factor *= 128) {
      if (this.#at >= this.#end) throw torn();
      byte = bytes[this.#at++] as number;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw bad('a number of more than ten bytes');
  }

  /** A varint that stands for a signed number of 64 bits. */
  int(): number {
    const from = this.#at;
    const value = this.uint();
    if (value < 2 ** 53) return value;
    // Ten bytes: negative, in two's complement.
    this.#at = from;
    let exact = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#bytes[this.#at++] as number;
      exact |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(BigInt.asIntN(64, exact));
    }
  }

  /** A varint that stands for a signed number by turns: 0, -1, 1, -2 … */
  sint(): number {
    const value = this.uint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Low and high half of eight bytes: times are put together by who reads them. */
  fixed64(): { readonly low: number; readonly high: number } {
    const at = this.#advance(8);
    return { low: this.#view.getUint32(at, true), high: this.#view.getUint32(at + 4, true) };
  }

  /** Nanoseconds since 1970 as microseconds, whole ones. */
  timeUs(): number {
    const at = this.#advance(8);
    const high = this.#view.getUint32(at + 4, true);
    return Math.floor((high * 4_294_967_296 + this.#view.getUint32(at, true)) / 1000);
  }

  /** As a number; beyond 2^53 it is rounded. */
  fixed64Number(): number {
    const at = this.#advance(8);
    return this.#view.getUint32(at + 4, true) * 4_294_967_296 + this.#view.getUint32(at, true);
  }

  sfixed64(): number {
    return Number(this.#view.getBigInt64(this.#advance(8), true));
  }

  double(): number {
    return this.#view.getFloat64(this.#advance(8), true);
  }

  /** A view of the bytes, not a copy. */
  bytes(): Uint8Array {
    const length = this.uint();
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Bytes as lower-case hex digits. */
  hex(): string {
    const length = this.uint();
    const at = this.#advance(length);
    return this.#buffer.toString('hex', at, at + length);
  }

  text(): string {
    const length = this.uint();
    const at = this.#advance(length);
    if (length > longestInterned) return this.#buffer.toString('utf8', at, at + length);
    return this.#intern(at, length);
  }

  #intern(at: number, length: number): string {
    const bytes = this.#bytes;
    let hash = length;
    for (let each = at; each < at + length; each++)
      hash = (Math.imul(hash, 31) + (bytes[each] as number)) | 0;
    const slot = hash & (internSlots - 1);
    const known = interned[slot] as string;
    if (this.#is(known, at, length)) return known;
    const text = this.#buffer.toString('utf8', at, at + length);
    interned[slot] = text;
    return text;
  }

  #is(text: string, at: number, length: number): boolean {
    if (text.length !== length) return false;
    for (let each = 0; each < length; each++) {
      const code = text.charCodeAt(each);
      if (code > 127 || code !== this.#bytes[at + each]) return false;
    }
    return true;
  }

  /** Walks into a nested message. Gives what `close` needs to walk out of it. */
  open(): number {
    const length = this.uint();
    const outer = this.#end;
    if (length > outer - this.#at) throw torn();
    this.#end = this.#at + length;
    return outer;
  }

  close(outer: number): void {
    this.#at = this.#end;
    this.#end = outer;
  }

  /** Passes over a field that is of no interest. */
  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.uint();
        return;
      case 1:
        this.#advance(8);
        return;
      case 2:
        this.#advance(this.uint());
        return;
      case 5:
        this.#advance(4);
        return;
      default:
        throw bad(`a field of wire type ${tag & 7}`);
    }
  }

  /** Gives where it was, and goes on by `length`. */
  #advance(length: number): number {
    const at = this.#at;
    if (length > this.#end - at) throw torn();
    this.#at = at + length;
    return at;
  }
}

function torn(): HeddleError {
  return bad('a field that goes beyond its message');
}

function bad(found: string): HeddleError {
  const message = `expected a protobuf message, found ${found}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_PROTOBUF', message });
}
