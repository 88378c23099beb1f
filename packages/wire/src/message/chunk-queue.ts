// A chunk that fills less than this part of the memory it lies in is copied out of it.
const leastPart = 4;
const smallestTailBytes = 256;
const largestTailBytes = 4096;

/**
 * Chunks that wait to be read. A chunk is a slice of what was read from a socket, which may be 64 KiB that many
 * connections share: a slow reader with a few bytes of each would keep all of that alive. So small ones are gathered in
 * memory of the queue's own, and all that it keeps alive is at most five times what is in it, and 4 KiB.
 */
export class ChunkQueue {
  #chunks: Uint8Array[] = [];
  #first = 0;
  #bytes = 0;
  // Memory of our own, in which the last chunk ends; there may be room behind it.
  #tail: Uint8Array | undefined;
  #tailUsed = 0;

  /** What is in it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many chunks there are. */
  get length(): number {
    return this.#chunks.length - this.#first;
  }

  /** The chunk that comes next. */
  get next(): Uint8Array | undefined {
    return this.#chunks[this.#first];
  }

  push(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    if (chunk.byteLength * leastPart < chunk.buffer.byteLength) {
      this.#gather(chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.#tail = undefined;
  }

  /** Takes the next chunk out, which must be there. It belongs to the caller. */
  take(): Uint8Array {
    const chunk = this.#chunks[this.#first] as Uint8Array;
    this.#bytes -= chunk.byteLength;
    this.#first++;
    if (this.#first === this.#chunks.length) this.#empty();
    return chunk;
  }

  clear(): void {
    this.#bytes = 0;
    this.#empty();
  }

  #empty(): void {
    this.#chunks = [];
    this.#first = 0;
    this.#tail = undefined;
  }

  #gather(chunk: Uint8Array): void {
    const tail = this.#tail;
    const bytes = chunk.byteLength;
    if (tail !== undefined && this.#tailUsed + bytes <= tail.byteLength) {
      tail.set(chunk, this.#tailUsed);
      this.#tailUsed += bytes;
      this.#chunks[this.#chunks.length - 1] = tail.subarray(0, this.#tailUsed);
      return;
    }
    const grown = tail === undefined ? smallestTailBytes : Math.min(tail.byteLength * 2, largestTailBytes);
    const fresh = new Uint8Array(Math.max(bytes, grown));
    fresh.set(chunk);
    this.#chunks.push(fresh.subarray(0, bytes));
    this.#tail = fresh;
    this.#tailUsed = bytes;
  }
}
