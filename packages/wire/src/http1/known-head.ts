const largestBytes = 1024;
// With so many heads in a row that were not known, only now and then one is worth the trouble of keeping it.
const patience = 16;

/**
 * The last head of a connection, byte for byte, with what it means. Clients mostly ask again with the same fields, and
 * servers answer with the same ones for a second: such a head need be neither parsed nor judged again. The counterpart of
 * `KnownSections` of HTTP/2.
 */
export class KnownHead<Head> {
  #block: Uint8Array | undefined;
  #head: Head | undefined;
  #strange = 0;

  /** The position after the head that begins at `at`, if it is the known one and all there; else 0. */
  find(chunk: Uint8Array, at: number): number {
    const block = this.#block;
    if (block === undefined) return 0;
    const end = at + block.length;
    if (end > chunk.length || !same(block, chunk, at)) {
      this.#strange++;
      return 0;
    }
    this.#strange = 0;
    return end;
  }

  /** What it means. Not to be changed: the next one gets it too. */
  get head(): Head {
    return this.#head as Head;
  }

  /** True where the head that has just been read, and was not known, may be kept. */
  wants(start: number, end: number): boolean {
    return end - start <= largestBytes && (this.#strange <= patience || this.#strange % patience === 0);
  }

  /** Keeps what the head `bytes[start, end)` means. */
  keep(bytes: Uint8Array, start: number, end: number, head: Head): void {
    this.#block = bytes.slice(start, end);
    this.#head = head;
  }
}

/** Compared from the end: what differs between two heads, such as a target, mostly makes them differ in length too. */
function same(block: Uint8Array, bytes: Uint8Array, from: number): boolean {
  for (let at = block.length - 1; at >= 0; at--) if (block[at] !== bytes[from + at]) return false;
  return true;
}
