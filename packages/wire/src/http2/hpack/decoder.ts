import { DynamicTable } from './dynamic-table.ts';
import { HeaderField } from './header-field.ts';
import { decodeHuffman } from './huffman-decoder.ts';
import { staticTable } from './static-table.ts';

/** A header block that cannot be decoded. The connection's compression state is lost with it (RFC 7541 section 5). */
export class HpackError extends Error {
  override readonly name = 'HpackError';
}

/** Takes the fields of a block, in order. Must not throw. */
export interface FieldSink {
  field(field: HeaderField): void;
}

/** The size of a decoder's table, where SETTINGS_HEADER_TABLE_SIZE was not changed. */
export const defaultTableBytes = 4096;

// Integers beyond this mean nothing in HPACK; four continuation bytes are enough to write it.
const largestInteger = 1 << 28;

let scratch: Buffer = Buffer.allocUnsafeSlow(4096);

/** Decodes the header blocks of one connection, all of them, in order (RFC 7541). */
export class HpackDecoder {
  readonly #table: DynamicTable;
  readonly #tableLimit: number;
  /** Changes whenever the table does: the same bytes mean the same as long as it is the same. */
  state = 0;
  #bytes: Buffer = scratch;
  #at = 0;
  #end = 0;

  /** `tableBytes`: what was announced as SETTINGS_HEADER_TABLE_SIZE. Default 4096. */
  constructor(tableBytes: number = defaultTableBytes) {
    this.#table = new DynamicTable(tableBytes);
    this.#tableLimit = tableBytes;
  }

  /** Octets that the dynamic table counts. */
  get tableBytes(): number {
    return this.#table.size;
  }

  /** Decodes the block in `bytes[start, end)`. Throws `HpackError`; after that the decoder must not be used. */
  decode(bytes: Buffer, start: number, end: number, sink: FieldSink): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    let fields = 0;
    while (this.#at < end) {
      const first = bytes[this.#at] as number;
      if (first >= 0x80) {
        sink.field(this.#lookUp(this.#integer(7)));
        fields++;
      } else if (first >= 0x40) {
        const field = this.#literal(6);
        this.#table.add(field);
        this.state++;
        sink.field(field);
        fields++;
      } else if (first >= 0x20) {
        if (fields > 0) throw new HpackError('a table size update follows a field');
        this.#resize(this.#integer(5));
      } else {
        sink.field(this.#literal(4));
        fields++;
      }
    }
    this.#bytes = scratch;
  }

  #resize(size: number): void {
    if (size > this.#tableLimit) {
      throw new HpackError(`the peer wants a table of ${size} bytes; ${this.#tableLimit} is what we allow`);
    }
    this.#table.resize(size);
    this.state++;
  }

  #lookUp(index: number): HeaderField {
    const field =
      index < staticTable.length ? staticTable[index] : this.#table.at(index - staticTable.length);
    if (field === undefined || index === 0) throw new HpackError(`there is no field with index ${index}`);
    return field;
  }

  #literal(prefixBits: number): HeaderField {
    const nameIndex = this.#integer(prefixBits);
    const name = nameIndex === 0 ? this.#string() : this.#lookUp(nameIndex).name;
    return new HeaderField(name, this.#string());
  }

  /** RFC 7541 section 5.1. */
  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = (this.#bytes[this.#at++] as number) & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 28; shift += 7) {
      if (this.#at >= this.#end) throw new HpackError('the block ends within an integer');
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * 2 ** shift;
      if (value > largestInteger) break;
      if (byte < 0x80) return value;
    }
    throw new HpackError('an integer is too large');
  }

  /** RFC 7541 section 5.2. */
  #string(): string {
    if (this.#at >= this.#end) throw new HpackError('the block ends before a string');
    const coded = (this.#bytes[this.#at] as number) >= 0x80;
    const length = this.#integer(7);
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) throw new HpackError('the block ends within a string');
    this.#at = end;
    if (!coded) return this.#bytes.toString('latin1', start, end);
    // The shortest code has five bits, so a coded string grows by less than 8/5.
    if (length * 2 > scratch.length) scratch = Buffer.allocUnsafeSlow(length * 2);
    const decoded = decodeHuffman(this.#bytes, start, end, scratch);
    if (decoded < 0) throw new HpackError('a string is not valid Huffman code');
    return scratch.toString('latin1', 0, decoded);
  }
}
