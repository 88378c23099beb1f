const mostFields = 64;
const mostBytes = 4096;
// After so many in a row that were new at one place, what stands there is not worth keeping, but now and then.
const patience = 8;

/**
 * The section of fields that was written last, as bytes: what follows mostly begins with the same ones, from the same
 * client and the same proxy, and need be neither looked at nor encoded again. A proxied request spends a third of its
 * time on that. One for each kind of message, shared by all connections: a head is written in one go.
 */
export class FieldMemory {
  /** name, value, name, value … as written. */
  readonly #raw: string[] = [];
  /** Where each field ends in `#bytes`, in the order of `#raw`. */
  readonly #ends: number[] = [];
  readonly #bytes = Buffer.allocUnsafeSlow(mostBytes);
  #count = 0;
  /** Where the last one was new, and how often in a row that was so. */
  #newAt = 0;
  #strange = 0;

  /** How many fields of `raw` are the ones that were written last, from the first on. */
  common(raw: readonly string[]): number {
    const known = this.#raw;
    let field = 0;
    for (; field < this.#count; field++) {
      const at = field * 2;
      if (raw[at] !== known[at] || raw[at + 1] !== known[at + 1]) break;
    }
    if (field !== this.#newAt) this.#strange = 0;
    this.#newAt = field;
    this.#strange++;
    return field;
  }

  /** Whether what follows the fields that were the same is worth keeping: an id of each request is not. */
  get wants(): boolean {
    return this.#strange <= patience || this.#strange % (patience * patience) === 0;
  }

  /** How many bytes the first `count` fields are. */
  lengthOf(count: number): number {
    return this.#endOf(count);
  }

  /** Copies the first `count` fields to `at` in `target`, without a view of them, which would cost more than the copy. */
  copyTo(target: Uint8Array, at: number, count: number): void {
    this.#bytes.copy(target, at, 0, this.#endOf(count));
  }

  /**
   * `written` is field number `at`, behind those that were the same. What does not fit is not kept, nor what follows it.
   * Gives whether it was.
   */
  keep(at: number, name: string, value: string, written: Uint8Array): boolean {
    const from = this.#endOf(at);
    this.#count = at;
    if (at >= mostFields || from + written.byteLength > mostBytes) return false;
    this.#bytes.set(written, from);
    this.#raw[at * 2] = name;
    this.#raw[at * 2 + 1] = value;
    this.#ends[at] = from + written.byteLength;
    this.#count = at + 1;
    return true;
  }

  #endOf(count: number): number {
    return count === 0 ? 0 : (this.#ends[count - 1] as number);
  }
}
