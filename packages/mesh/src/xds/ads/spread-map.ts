const parts = 64;

/**
 * A map that is a value: a change gives another one, and copies no more than a 64th of it. For state that has
 * hundreds of entries, of which every input changes one.
 */
export class SpreadMap<V> {
  readonly #parts: readonly (ReadonlyMap<string, V> | undefined)[];
  readonly size: number;

  constructor(
    contents: readonly (ReadonlyMap<string, V> | undefined)[] = Array.from({ length: parts }),
    size = 0,
  ) {
    this.#parts = contents;
    this.size = size;
  }

  get(key: string): V | undefined {
    return this.#parts[partOf(key)]?.get(key);
  }

  has(key: string): boolean {
    return this.#parts[partOf(key)]?.has(key) === true;
  }

  /** With that entry, added or replaced. */
  with(key: string, value: V): SpreadMap<V> {
    const at = partOf(key);
    const part = new Map(this.#parts[at]);
    const before = part.size;
    part.set(key, value);
    return this.#replaced(at, part, this.size + part.size - before);
  }

  /** Without it, if it is there. */
  without(key: string): SpreadMap<V> {
    const at = partOf(key);
    const part = new Map(this.#parts[at]);
    return part.delete(key) ? this.#replaced(at, part, this.size - 1) : this;
  }

  *values(): Generator<V> {
    for (const part of this.#parts) if (part !== undefined) yield* part.values();
  }

  #replaced(at: number, part: ReadonlyMap<string, V>, size: number): SpreadMap<V> {
    const next = this.#parts.slice();
    next[at] = part;
    return new SpreadMap(next, size);
  }
}

/** Names that count up, as those of streams do, spread evenly by their last characters. */
function partOf(key: string): number {
  let sum = 0;
  for (let at = Math.max(0, key.length - 4); at < key.length; at++) sum = sum * 10 + key.charCodeAt(at);
  return sum % parts;
}
