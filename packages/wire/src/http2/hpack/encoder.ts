import { defaultTableBytes } from './decoder.ts';
import { DynamicTable } from './dynamic-table.ts';
import { HeaderField } from './header-field.ts';
import { encodeHuffman, huffmanSize } from './huffman-encoder.ts';
import { type Indexing, indexingOf } from './indexing.ts';
import { staticFieldIndex, staticNameIndex, staticTable } from './static-table.ts';

const noNumber = -1;
// How many values are watched for coming again before the watch starts afresh.
const watchedValues = 64;

/** What is known of a name: its place in the static table, and the numbers of its values in the dynamic one. */
interface KnownName {
  readonly indexing: Indexing;
  /** 0: not in the static table. */
  readonly staticIndex: number;
  readonly staticValues: ReadonlyMap<string, number> | undefined;
  readonly numbers: Map<string, number>;
}

/** Encodes the header blocks of one connection, all of them, in order (RFC 7541). */
export class HpackEncoder {
  /** Changes with everything that may make a block other bytes than the same fields were before. */
  state = 0;
  readonly #table: DynamicTable;
  readonly #known = new Map<string, KnownName>();
  readonly #seen = new Set<string>();
  // Sizes to announce at the start of the next block: the smallest since the last one, and the current one.
  #smallest: number | undefined;
  #announce = false;

  /** `tableBytes`: how much the encoder will remember at most. Default 4096, and never more than the peer allows. */
  constructor(tableBytes: number = defaultTableBytes) {
    this.#table = new DynamicTable(tableBytes, (field, number) => this.#forget(field, number));
  }

  /** Octets that the dynamic table counts. */
  get tableBytes(): number {
    return this.#table.size;
  }

  /** The table may count that many bytes from now on: the peer's SETTINGS_HEADER_TABLE_SIZE, or less. */
  resize(tableBytes: number): void {
    if (tableBytes === this.#table.maxSize && !this.#announce) return;
    this.#smallest = Math.min(this.#smallest ?? tableBytes, tableBytes);
    this.#announce = true;
    this.state++;
    this.#table.resize(tableBytes);
  }

  /**
   * The most bytes that a field can take in a block: both strings with their lengths, and an index. `begin` writes
   * at most ten.
   */
  static bound(name: string, value: string): number {
    return name.length + value.length + 16;
  }

  /** Starts a block in `out`. Returns the offset behind what was written. */
  begin(out: Buffer, offset: number): number {
    if (!this.#announce) return offset;
    const size = this.#table.maxSize;
    let at = offset;
    // RFC 7541 section 4.2: the smallest size in between is said too.
    if (this.#smallest !== undefined && this.#smallest < size)
      at = writeInteger(out, at, 0x20, 5, this.#smallest);
    this.#smallest = undefined;
    this.#announce = false;
    this.state++;
    return writeInteger(out, at, 0x20, 5, size);
  }

  /** Adds a field, which must be valid (see `isFieldName`, `isFieldValue`). Returns the offset behind it. */
  field(out: Buffer, offset: number, name: string, value: string): number {
    const known = this.#known.get(name) ?? this.#learn(name);
    const staticIndex = known.staticValues?.get(value);
    if (staticIndex !== undefined) return writeInteger(out, offset, 0x80, 7, staticIndex);
    const number = known.numbers.get(value) ?? noNumber;
    if (number !== noNumber) return writeInteger(out, offset, 0x80, 7, this.#indexOf(number));
    if (known.indexing === 'remember' || (known.indexing === 'if-repeated' && this.#seenBefore(value))) {
      return this.#remember(out, offset, name, value, known);
    }
    const at = this.#name(out, offset, name, known, known.indexing === 'never' ? 0x10 : 0x00, 4);
    if (known.staticIndex === 0 && known.numbers.size === 0) this.#known.delete(name);
    return writeString(out, at, value);
  }

  #remember(out: Buffer, offset: number, name: string, value: string, known: KnownName): number {
    const at = this.#name(out, offset, name, known, 0x40, 6);
    this.state++;
    if (this.#table.add(new HeaderField(name, value))) {
      known.numbers.set(value, this.#table.added - 1);
      // Making room may have evicted this name's last entry, and the name with it.
      this.#known.set(name, known);
    } else if (known.staticIndex === 0) {
      // Too large for the table, which is empty now.
      this.#known.delete(name);
    }
    return writeString(out, at, value);
  }

  #name(
    out: Buffer,
    offset: number,
    name: string,
    known: KnownName,
    flags: number,
    prefixBits: number,
  ): number {
    let index = known.staticIndex;
    if (index === 0) for (const number of known.numbers.values()) index = this.#indexOf(number);
    if (index !== 0) return writeInteger(out, offset, flags, prefixBits, index);
    out[offset] = flags;
    return writeString(out, offset + 1, name);
  }

  #indexOf(number: number): number {
    return staticTable.length + this.#table.added - 1 - number;
  }

  #learn(name: string): KnownName {
    const known: KnownName = {
      indexing: indexingOf(name),
      staticIndex: staticNameIndex.get(name) ?? 0,
      staticValues: staticFieldIndex.get(name),
      numbers: new Map(),
    };
    this.#known.set(name, known);
    return known;
  }

  #seenBefore(value: string): boolean {
    this.state++;
    if (this.#seen.delete(value)) return true;
    if (this.#seen.size >= watchedValues) this.#seen.clear();
    this.#seen.add(value);
    return false;
  }

  #forget(field: HeaderField, number: number): void {
    const known = this.#known.get(field.name);
    if (known === undefined || known.numbers.get(field.value) !== number) return;
    known.numbers.delete(field.value);
    if (known.staticIndex === 0 && known.numbers.size === 0) this.#known.delete(field.name);
  }
}

/** RFC 7541 section 5.1: `value` in a prefix of so many bits, below `flags`, and as many bytes as it takes. */
function writeInteger(out: Buffer, offset: number, flags: number, prefixBits: number, value: number): number {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) {
    out[offset] = flags | value;
    return offset + 1;
  }
  let at = offset;
  out[at++] = flags | mask;
  let rest = value - mask;
  while (rest >= 0x80) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  return at;
}

/** The start of a field that is in no table and goes into none, up to its value: for names that come with every call. */
export function literalStart(name: string): Uint8Array {
  const out = Buffer.allocUnsafe(HpackEncoder.bound(name, ''));
  out[0] = 0x00;
  return out.subarray(0, writeString(out, 1, name));
}

/** A value that is not coded: it is a few bytes longer, at a tenth of the cost. Returns the offset behind it. */
export function writePlain(out: Buffer, offset: number, text: string): number {
  const at = writeInteger(out, offset, 0x00, 7, text.length);
  return at + out.write(text, at, 'latin1');
}

/** RFC 7541 section 5.2: Huffman code where it is shorter. */
function writeString(out: Buffer, offset: number, text: string): number {
  const coded = huffmanSize(text);
  if (coded < text.length) return encodeHuffman(text, out, writeInteger(out, offset, 0x80, 7, coded));
  return writePlain(out, offset, text);
}
