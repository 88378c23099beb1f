/** What the table holds: something with a stream's number. */
interface Numbered {
  readonly id: number;
}

const smallest = 16;

/**
 * Streams by number. A `Map` would do, but not for long lives: each time one has been filled and emptied V8 makes a new
 * table that the old one refers to, and once an old table has left the young generation it keeps all its successors,
 * and the streams that were in them, alive until the next full collection. Measured: a third of a busy server's time.
 * Here slots are used over and over. Numbers of one kind (odd or even) grow by two, so neighbours never collide.
 */
export class StreamTable<T extends Numbered> {
  #slots: (T | undefined)[] = new Array<T | undefined>(smallest).fill(undefined);
  #size = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** The stream of that number. */
  get(id: number): T | undefined {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let at = (id >>> 1) & mask; ; at = (at + 1) & mask) {
      const found = slots[at];
      if (found === undefined || found.id === id) return found;
    }
  }

  /** Adds a stream whose number is not there. */
  add(stream: T): void {
    // At most half full, so that a search meets an empty slot soon.
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    this.#place(stream);
    this.#size++;
  }

  /** Removes the stream of that number; nothing happens if there is none. */
  delete(id: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = (id >>> 1) & mask;
    for (; ; hole = (hole + 1) & mask) {
      const found = slots[hole];
      if (found === undefined) return;
      if (found.id === id) break;
    }
    this.#size--;
    // What was pushed behind the hole by a collision moves up, so that searches need no marks of what was removed.
    for (let at = (hole + 1) & mask; ; at = (at + 1) & mask) {
      const stream = slots[at];
      if (stream === undefined) break;
      const home = (stream.id >>> 1) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = stream;
      hole = at;
    }
    slots[hole] = undefined;
  }

  /** Those that are there now; adding and removing while looking at them is allowed. */
  values(): T[] {
    return this.#slots.filter((stream) => stream !== undefined);
  }

  #place(stream: T): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let at = (stream.id >>> 1) & mask;
    while (slots[at] !== undefined) at = (at + 1) & mask;
    slots[at] = stream;
  }

  #grow(): void {
    const old = this.#slots;
    this.#slots = new Array<T | undefined>(old.length * 2).fill(undefined);
    for (const stream of old) if (stream !== undefined) this.#place(stream);
  }
}
