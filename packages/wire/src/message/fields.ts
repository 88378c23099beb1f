/**
 * Header or trailer fields (RFC 9110 section 5) in the order they came, repeated ones kept apart.
 * Names are lower case: whoever adds one says it so. One flat array: no object per field.
 */
export class Fields implements Iterable<readonly [name: string, value: string]> {
  /** name, value, name, value … For the codecs; everybody else uses the methods. */
  readonly raw: string[];

  /** Takes over `raw`, which is not copied. */
  constructor(raw: string[] = []) {
    this.raw = raw;
  }

  /** From a record of lower-case names. */
  static of(record: Readonly<Record<string, string>>): Fields {
    return new Fields(Object.entries(record).flat());
  }

  /** How many fields there are. */
  get size(): number {
    return this.raw.length >> 1;
  }

  /** The first value of that name. For a name that may be repeated, use `all`. */
  get(name: string): string | undefined {
    const { raw } = this;
    for (let at = 0; at < raw.length; at += 2) if (raw[at] === name) return raw[at + 1];
    return undefined;
  }

  /** Every value of that name, in order. */
  all(name: string): string[] {
    const { raw } = this;
    const values: string[] = [];
    for (let at = 0; at < raw.length; at += 2) if (raw[at] === name) values.push(raw[at + 1] as string);
    return values;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Adds one more, after those of the same name. */
  append(name: string, value: string): this {
    this.raw.push(name, value);
    return this;
  }

  /** Replaces all of that name by one. */
  set(name: string, value: string): this {
    return this.delete(name).append(name, value);
  }

  /** Removes all of that name. */
  delete(name: string): this {
    const { raw } = this;
    let kept = 0;
    while (kept < raw.length && raw[kept] !== name) kept += 2;
    // Mostly there is none. To set the length, even to what it is, costs more than all the rest.
    if (kept === raw.length) return this;
    for (let at = kept; at < raw.length; at += 2) {
      if (raw[at] === name) continue;
      raw[kept++] = raw[at] as string;
      raw[kept++] = raw[at + 1] as string;
    }
    raw.length = kept;
    return this;
  }

  clone(): Fields {
    return new Fields(this.raw.slice());
  }

  *[Symbol.iterator](): IterableIterator<readonly [name: string, value: string]> {
    const { raw } = this;
    for (let at = 0; at < raw.length; at += 2) yield [raw[at] as string, raw[at + 1] as string];
  }
}
