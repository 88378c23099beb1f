import type { Message } from '../../message/message.ts';

interface Entry {
  readonly offset: number;
  readonly message: Message;
}

/** One partition in memory: entries by growing offset, with holes where one was discarded. */
export class MemoryPartition {
  #entries: Entry[] = [];
  #end = 0;

  /** The oldest offset that is kept. */
  get begin(): number {
    return this.#entries[0]?.offset ?? this.#end;
  }

  /** The offset that the next message gets. */
  get end(): number {
    return this.#end;
  }

  append(message: Message): void {
    this.#entries.push({ offset: this.#end, message });
    this.#end += 1;
  }

  read(from: number, max: number): readonly Entry[] {
    const at = this.#indexOf(from);
    return this.#entries.slice(at, at + max);
  }

  countFrom(from: number): number {
    return this.#entries.length - this.#indexOf(from);
  }

  discard(offset: number): boolean {
    const at = this.#indexOf(offset);
    if (this.#entries[at]?.offset !== offset) return false;
    this.#entries.splice(at, 1);
    return true;
  }

  /** Drops what was made before `beforeMs` and lies below `reached`. */
  expire(beforeMs: number, reached: number): void {
    let count = 0;
    for (const { offset, message } of this.#entries) {
      if (offset >= reached || message.timeMs >= beforeMs) break;
      count += 1;
    }
    if (count > 0) this.#entries = this.#entries.slice(count);
  }

  /** Where the first entry with this offset or a later one is. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#entries[middle]?.offset ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
