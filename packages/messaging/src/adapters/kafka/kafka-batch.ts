// Records as Kafka keeps them: Apache Kafka 3.9, protocol guide, "Record Batch" and "Record", magic 2.
import { crc32c } from '@platformatic/kafka';

/** A record that is to be produced. */
export interface OutgoingRecord {
  /** Empty: none. */
  readonly key: string;
  readonly value: Uint8Array;
  /** Whole milliseconds since 1970. */
  readonly timeMs: number;
  /** Names as `headerName` makes them; values in the same order. */
  readonly headers: readonly Uint8Array[];
  readonly headerValues: readonly string[];
}

const headBytes = 61;
// What the check sum covers begins with the attributes, behind the check sum itself.
const crcAt = 17;
const attributesAt = 21;
const magic = 2;
const noProducer = -1n;

/**
 * One batch of them, in this order, uncompressed. The client library has an encoder too, which makes some twenty buffers
 * of each record with headers: it takes longer than everything else that is done for a message.
 */
export function batchOf(records: readonly OutgoingRecord[]): Buffer {
  const firstMs = records[0]?.timeMs ?? 0;
  const out = new BatchWriter(records.reduce((sum, { value }) => sum + value.byteLength + 300, headBytes));
  for (const [at, record] of records.entries()) out.record(record, at, record.timeMs - firstMs);
  const lastMs = records.reduce((most, { timeMs }) => Math.max(most, timeMs), firstMs);
  return out.finished(records.length, firstMs, lastMs);
}

/** A header's name with its length before it, as it is written. */
export function headerName(name: string): Uint8Array {
  const bytes = Buffer.from(name);
  const out = new BatchWriter(bytes.byteLength + 10);
  out.bytes(bytes);
  return out.written();
}

/** Writes into one buffer that grows. */
class BatchWriter {
  #buffer: Buffer;
  #at = headBytes;

  constructor(expectedBytes: number) {
    this.#buffer = Buffer.allocUnsafe(headBytes + expectedBytes);
  }

  record({ key, value, headers, headerValues }: OutgoingRecord, offset: number, afterMs: number): void {
    // Its length goes before it, and is mostly of two bytes.
    const begin = this.#at;
    this.#room(2);
    this.#at += 2;
    this.#byte(0);
    this.#number(afterMs);
    this.#number(offset);
    if (key === '') this.#number(-1);
    else this.#text(key);
    this.bytes(value);
    this.#number(headers.length);
    for (const [at, name] of headers.entries()) {
      this.#raw(name);
      this.#text(headerValues[at] ?? '');
    }
    const length = this.#at - begin - 2;
    const lengthBytes = sizeOf(length);
    if (lengthBytes !== 2) {
      this.#room(3);
      this.#buffer.copyWithin(begin + lengthBytes, begin + 2, this.#at);
    }
    this.#at = begin;
    this.#number(length);
    this.#at += length;
  }

  bytes(value: Uint8Array): void {
    this.#number(value.byteLength);
    this.#raw(value);
  }

  /** What was written so far, without the head. */
  written(): Uint8Array {
    return this.#buffer.subarray(headBytes, this.#at);
  }

  finished(count: number, firstMs: number, lastMs: number): Buffer {
    const batch = this.#buffer.subarray(0, this.#at);
    batch.writeBigInt64BE(0n, 0);
    // Offset and length themselves are not counted.
    batch.writeInt32BE(batch.length - 12, 8);
    batch.writeInt32BE(0, 12);
    batch.writeInt8(magic, 16);
    batch.writeInt16BE(0, attributesAt);
    batch.writeInt32BE(count - 1, 23);
    batch.writeBigInt64BE(BigInt(firstMs), 27);
    batch.writeBigInt64BE(BigInt(lastMs), 35);
    batch.writeBigInt64BE(noProducer, 43);
    batch.writeInt16BE(0, 51);
    batch.writeInt32BE(0, 53);
    batch.writeInt32BE(count, 57);
    batch.writeUInt32BE(crc32c(batch.subarray(attributesAt)), crcAt);
    return batch;
  }

  #text(text: string): void {
    const { length } = text;
    this.#room(length * 3 + 5);
    const begin = this.#at;
    // Nearly always one byte for each character.
    this.#number(length);
    const buffer = this.#buffer;
    let at = this.#at;
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) {
        this.#at = begin;
        this.#number(Buffer.byteLength(text));
        this.#at += buffer.write(text, this.#at);
        return;
      }
      buffer[at++] = code;
    }
    this.#at = at;
  }

  #raw(value: Uint8Array): void {
    this.#room(value.byteLength);
    this.#buffer.set(value, this.#at);
    this.#at += value.byteLength;
  }

  #byte(value: number): void {
    this.#room(1);
    this.#buffer[this.#at++] = value;
  }

  /** A whole number, zigzag and in groups of seven bits. */
  #number(value: number): void {
    this.#room(10);
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    while (rest > 0x7f) {
      this.#buffer[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#at++] = rest;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#at + bytes));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

function sizeOf(value: number): number {
  let bytes = 1;
  for (let rest = value * 2; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}
