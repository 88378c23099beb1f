const encoder = new TextEncoder();

/** Writes protobuf's wire format into a buffer that grows. Fields are given by number. */
export class ProtobufWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** What was written: a copy, so that the writer can be used again, from the beginning. */
  finish(): Uint8Array {
    const written = this.#bytes.slice(0, this.#at);
    this.#at = 0;
    return written;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }

  /** Forgets what was written after the first `length` bytes. */
  rewind(length: number): void {
    this.#at = length;
  }

  /** A varint; left out when 0, as protobuf 3 has it. */
  uint(field: number, value: number): void {
    if (value === 0) return;
    this.#room(16);
    this.#varint(field * 8);
    this.#varint(value);
  }

  bool(field: number, value: boolean): void {
    this.#room(16);
    this.#varint(field * 8);
    this.#varint(value ? 1 : 0);
  }

  /** A whole number that may be negative, as a varint of 64 bits. */
  int(field: number, value: number): void {
    this.#room(16);
    this.#varint(field * 8);
    if (value >= 0) {
      this.#varint(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) this.#bytes[this.#at++] = Number(rest & 127n) | 128;
    this.#bytes[this.#at++] = Number(rest);
  }

  double(field: number, value: number): void {
    this.#room(16);
    this.#varint(field * 8 + 1);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  /** A whole number that is not negative, in eight bytes. */
  fixed64(field: number, value: number): void {
    this.#room(16);
    this.#varint(field * 8 + 1);
    this.#view.setBigUint64(this.#at, BigInt(value), true);
    this.#at += 8;
  }

  /** Whole microseconds as nanoseconds in eight bytes: exact, which a number could not be. */
  timeUs(field: number, us: number): void {
    this.#room(16);
    this.#varint(field * 8 + 1);
    this.#view.setBigUint64(this.#at, BigInt(us) * 1000n, true);
    this.#at += 8;
  }

  text(field: number, value: string): void {
    // A character is three bytes at most, and its length at most five.
    this.#room(value.length * 3 + 16);
    this.#varint(field * 8 + 2);
    const start = this.#at;
    if (value.length < 128 && this.#shortText(value)) return;
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(start + 5));
    this.#setLength(start, written);
  }

  /** Most texts are short and plain, and for them a loop beats the encoder. False: this one is not. */
  #shortText(value: string): boolean {
    const bytes = this.#bytes;
    const from = this.#at + 1;
    for (let at = 0; at < value.length; at++) {
      const code = value.charCodeAt(at);
      if (code > 127) return false;
      bytes[from + at] = code;
    }
    bytes[this.#at] = value.length;
    this.#at = from + value.length;
    return true;
  }

  bytes(field: number, value: Uint8Array): void {
    this.#room(value.byteLength + 16);
    this.#varint(field * 8 + 2);
    this.#varint(value.byteLength);
    this.#bytes.set(value, this.#at);
    this.#at += value.byteLength;
  }

  /** Bytes given as hex digits. */
  hex(field: number, digits: string): void {
    if (digits.length === 0) return;
    this.#room(digits.length + 16);
    this.#varint(field * 8 + 2);
    this.#varint(digits.length / 2);
    for (let at = 0; at < digits.length; at += 2)
      this.#bytes[this.#at++] = (digitOf(digits.charCodeAt(at)) << 4) | digitOf(digits.charCodeAt(at + 1));
  }

  /** Begins a nested message. Gives what `close` needs. */
  open(field: number): number {
    this.#room(16);
    this.#varint(field * 8 + 2);
    const start = this.#at;
    // The length is not known yet; five bytes hold any.
    this.#at += 5;
    return start;
  }

  close(start: number): void {
    this.#setLength(start, this.#at - start - 5);
  }

  /** Writes a length at `start`, and moves what was written five bytes after it to its end. */
  #setLength(start: number, length: number): void {
    this.#at = start;
    this.#varint(length);
    this.#bytes.copyWithin(this.#at, start + 5, start + 5 + length);
    this.#at += length;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.byteLength) return;
    const larger = new Uint8Array(Math.max(this.#bytes.byteLength * 2, this.#at + bytes));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Of a hex digit in small letters. */
function digitOf(code: number): number {
  return code < 58 ? code - 48 : code - 87;
}
