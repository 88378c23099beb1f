/** Thrown for a value that the quick way does not know: whoever called goes the long way, which knows all, errors too. */
export const unusual: Error = new Error('a value that is not written the quick way');

const firstBytes = 4096;
/** A scratch that has grown beyond this for one large message is given up after it. */
const mostKeptBytes = 1 << 20;

/**
 * Writes protobuf's binary format into a scratch of its own, which is kept from message to message: memory for each of
 * them costs several times as much as writing it. One message at a time.
 */
export class MessageWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(firstBytes);
  #at = 0;

  /** Begins a message, `headBytes` behind the start: room for a head that is written when the length is known. */
  begin(headBytes: number): void {
    if (this.#bytes.length > mostKeptBytes) this.#bytes = Buffer.allocUnsafeSlow(firstBytes);
    this.#at = headBytes;
  }

  /** A copy of all that was written, head included. */
  take(): Buffer {
    const copy = Buffer.allocUnsafe(this.#at);
    // Node's own copy has a price of its own, which small messages need not pay.
    copy.set(this.#bytes.subarray(0, this.#at));
    return copy;
  }

  /** A whole number from 0 to 2^32 - 1: tags, lengths, unsigned fields. */
  varint(value: number): void {
    this.#reserve(5);
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  uint32(value: unknown): void {
    if (typeof value !== 'number' || value >>> 0 !== value) throw unusual;
    this.varint(value);
  }

  int32(value: unknown): void {
    if (typeof value !== 'number' || (value | 0) !== value) throw unusual;
    if (value >= 0) this.varint(value);
    else this.#varint64(BigInt.asUintN(64, BigInt(value)));
  }

  sint32(value: unknown): void {
    if (typeof value !== 'number' || (value | 0) !== value) throw unusual;
    this.varint(((value << 1) ^ (value >> 31)) >>> 0);
  }

  fixed32(value: unknown): void {
    if (typeof value !== 'number' || value >>> 0 !== value) throw unusual;
    this.#reserve(4);
    this.#at = this.#bytes.writeUInt32LE(value, this.#at);
  }

  sfixed32(value: unknown): void {
    if (typeof value !== 'number' || (value | 0) !== value) throw unusual;
    this.#reserve(4);
    this.#at = this.#bytes.writeInt32LE(value, this.#at);
  }

  uint64(value: unknown): void {
    if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value) throw unusual;
    this.#varint64(value);
  }

  int64(value: unknown): void {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) throw unusual;
    this.#varint64(BigInt.asUintN(64, value));
  }

  sint64(value: unknown): void {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) throw unusual;
    this.#varint64(BigInt.asUintN(64, value >= 0n ? value << 1n : ~(value << 1n)));
  }

  fixed64(value: unknown): void {
    if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value) throw unusual;
    this.#reserve(8);
    this.#at = this.#bytes.writeBigUInt64LE(value, this.#at);
  }

  sfixed64(value: unknown): void {
    if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) throw unusual;
    this.#reserve(8);
    this.#at = this.#bytes.writeBigInt64LE(value, this.#at);
  }

  bool(value: unknown): void {
    if (typeof value !== 'boolean') throw unusual;
    this.varint(value ? 1 : 0);
  }

  float(value: unknown): void {
    if (typeof value !== 'number' || (Number.isFinite(value) && Math.abs(value) > largestFloat))
      throw unusual;
    this.#reserve(4);
    this.#at = this.#bytes.writeFloatLE(value, this.#at);
  }

  double(value: unknown): void {
    if (typeof value !== 'number') throw unusual;
    this.#reserve(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  bytes(value: unknown): void {
    if (!(value instanceof Uint8Array)) throw unusual;
    this.varint(value.byteLength);
    this.#reserve(value.byteLength);
    this.#bytes.set(value, this.#at);
    this.#at += value.byteLength;
  }

  string(value: unknown): void {
    if (typeof value !== 'string') throw unusual;
    const start = this.open();
    // In UTF-8 a UTF-16 unit takes at most three bytes.
    this.#reserve(3 * value.length);
    this.#at += this.#bytes.write(value, this.#at, 'utf8');
    this.close(start);
  }

  /** Leaves room for the length of what follows, which most often takes one byte. Gives what `close` wants. */
  open(): number {
    this.#reserve(1);
    return ++this.#at;
  }

  /** Puts the length of what was written since `open` in front of it. */
  close(start: number): void {
    const length = this.#at - start;
    if (length > 0x7f) {
      const more = bytesOfVarint(length) - 1;
      this.#reserve(more);
      this.#bytes.copyWithin(start + more, start, this.#at);
      this.#at = start - 1;
      this.varint(length);
      this.#at += length;
    } else this.#bytes[start - 1] = length;
  }

  #varint64(value: bigint): void {
    this.#reserve(10);
    let low = Number(value & 0xffff_ffffn);
    let high = Number(value >> 32n);
    while (high > 0 || low > 0x7f) {
      this.#bytes[this.#at++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#bytes[this.#at++] = low;
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

const largestFloat = 3.4028234663852886e38;

function bytesOfVarint(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}
