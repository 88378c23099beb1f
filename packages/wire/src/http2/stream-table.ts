const smallest = 8;

/**
 * The open streams of a connection by their identifiers: a hash table with linear probing.
 * Not a `Map`: V8's keeps each table it has outgrown pointing to the next one, so once one of them is old, the garbage
 * of a busy connection survives until the next full collection. It cost two fifths of the time of a call.
 */
export class StreamTable<T> {
  // 0 marks a free slot: no stream has that identifier.
  #ids = new Uint32Array(smallest);
  #streams: (T | undefined)[] = Array.from({ length: smallest });
  #size = 0;

  /** How many streams there are. */
  get size(): number {
    return this.#size;
  }

  /** The stream with that identifier, which is above 0. */
  get(id: number): T | undefined {
    const at = this.#find(id);
    return this.#ids[at] === id ? this.#streams[at] : undefined;
  }

  /** Adds a stream, or replaces the one of that identifier. */
  set(id: number, stream: T): void {
    if ((this.#size + 1) * 2 > this.#ids.length) this.#resize(this.#ids.length * 2);
    const at = this.#find(id);
    if (this.#ids[at] !== id) this.#size++;
    this.#ids[at] = id;
    this.#streams[at] = stream;
  }

  /** Removes a stream, if it is there. */
  delete(id: number): void {
    const mask = this.#ids.length - 1;
    let free = this.#find(id);
    if (this.#ids[free] !== id) return;
    this.#size--;
    // What follows without a gap moves up where its own place allows, so that no search stops too early.
    for (let at = (free + 1) & mask; this.#ids[at] !== 0; at = (at + 1) & mask) {
      const home = slotOf(this.#ids[at] as number) & mask;
      if (((at - home) & mask) < ((at - free) & mask)) continue;
      this.#ids[free] = this.#ids[at] as number;
      this.#streams[free] = this.#streams[at];
      free = at;
    }
    this.#ids[free] = 0;
    this.#streams[free] = undefined;
  }

  /** The streams as they are now, in no order: those that a visitor adds or removes change nothing in the list. */
  values(): T[] {
    const present: T[] = [];
    for (const [at, id] of this.#ids.entries()) if (id !== 0) present.push(this.#streams[at] as T);
    return present;
  }

  /** Where the identifier is, or the free slot where it would be. */
  #find(id: number): number {
    const mask = this.#ids.length - 1;
    let at = slotOf(id) & mask;
    while (this.#ids[at] !== id && this.#ids[at] !== 0) at = (at + 1) & mask;
    return at;
  }

  #resize(slots: number): void {
    const ids = this.#ids;
    const streams = this.#streams;
    this.#ids = new Uint32Array(slots);
    this.#streams = Array.from({ length: slots });
    for (const [at, id] of ids.entries()) {
      if (id === 0) continue;
      const to = this.#find(id);
      this.#ids[to] = id;
      this.#streams[to] = streams[at];
    }
  }
}

/**
 * Identifiers come in a row. Left in a row, the table would be one long run, all of which a removal has to look at;
 * multiplied by the golden ratio (Knuth, TAOCP 6.4) they lie as far apart as can be.
 */
function slotOf(id: number): number {
  return Math.imul(id >>> 1, 0x9e37_79b1) >>> 16;
}
