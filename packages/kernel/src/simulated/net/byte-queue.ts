/** Chunks in, cuts of any size out; copies only where a cut spans chunks. */
export class ByteQueue {
  #chunks: Uint8Array[] = [];
  #size = 0;

  /** Bytes in it. */
  get size(): number {
    return this.#size;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#size += chunk.byteLength;
  }

  /** The first `count` bytes, of which there must be as many, in memory that nobody else writes to. */
  take(count: number): Uint8Array {
    const taken = new Uint8Array(count);
    let filled = 0;
    let used = 0;
    while (filled < count) {
      const chunk = this.#chunks[used];
      if (chunk === undefined) throw new RangeError(`expected ${count} bytes, the queue has ${filled}`);
      const part = chunk.subarray(0, count - filled);
      taken.set(part, filled);
      filled += part.byteLength;
      if (part.byteLength < chunk.byteLength) this.#chunks[used] = chunk.subarray(part.byteLength);
      else used++;
    }
    this.#chunks.splice(0, used);
    this.#size -= count;
    return taken;
  }

  clear(): void {
    this.#chunks = [];
    this.#size = 0;
  }
}
