import type { HeaderField } from './header-field.ts';

/**
 * The fields that one side has told the other to remember, newest first (RFC 7541 section 2.3.2): a ring that grows
 * with use, so that a connection which never remembers anything holds nothing.
 */
export class DynamicTable {
  /** Octets that all entries together may count. */
  maxSize: number;
  /** Entries ever added: the newest has the number `added - 1`, and numbers never change. */
  added = 0;

  #ring: (HeaderField | undefined)[] = [];
  #count = 0;
  #size = 0;
  readonly #evicted: ((field: HeaderField, number: number) => void) | undefined;

  /** `evicted` hears of every entry that leaves, with its number. */
  constructor(maxSize: number, evicted?: (field: HeaderField, number: number) => void) {
    this.maxSize = maxSize;
    this.#evicted = evicted;
  }

  /** Entries now. */
  get count(): number {
    return this.#count;
  }

  /** Octets that they count. */
  get size(): number {
    return this.#size;
  }

  /** By distance from the newest, which is 0. Undefined beyond the oldest. */
  at(distance: number): HeaderField | undefined {
    if (distance >= this.#count) return undefined;
    return this.#ring[(this.added - 1 - distance) & (this.#ring.length - 1)];
  }

  /** Makes room, and adds; a field larger than the table empties it and is not kept (RFC 7541 section 4.4). */
  add(field: HeaderField): boolean {
    this.#evictTo(this.maxSize - field.size);
    if (field.size > this.maxSize) return false;
    if (this.#count === this.#ring.length) this.#grow();
    this.#ring[this.added & (this.#ring.length - 1)] = field;
    this.added++;
    this.#count++;
    this.#size += field.size;
    return true;
  }

  /** Changes `maxSize`, dropping the oldest that no longer fit. */
  resize(maxSize: number): void {
    this.maxSize = maxSize;
    this.#evictTo(maxSize);
  }

  #evictTo(size: number): void {
    while (this.#count > 0 && this.#size > size) {
      const number = this.added - this.#count;
      const slot = number & (this.#ring.length - 1);
      const field = this.#ring[slot] as HeaderField;
      this.#ring[slot] = undefined;
      this.#count--;
      this.#size -= field.size;
      this.#evicted?.(field, number);
    }
  }

  #grow(): void {
    const larger: (HeaderField | undefined)[] = Array.from({ length: Math.max(8, this.#ring.length * 2) });
    for (let distance = this.#count - 1; distance >= 0; distance--) {
      larger[(this.added - 1 - distance) & (larger.length - 1)] = this.at(distance);
    }
    this.#ring = larger;
  }
}
