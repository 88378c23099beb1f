import type { Connection, Timers } from '@heddle/kernel';

// Where the output of all connections is put together. What was handed to a connection must not change, so space is
// used once; a connection with nothing to say owns none of it.
const slabBytes = 65_536;
let slab: Buffer = Buffer.allocUnsafeSlow(slabBytes);
let slabUsed = 0;

const smallestRegionBytes = 512;
// A turn that gathers more than this hands it over at once: nothing is gained by larger writes.
const largestRegionBytes = 65_536;

/** Gathers what is written to a connection in one turn, so that it leaves as one write. */
export class Output {
  /** Where reserved space is. `reserve` may change it: read it afterwards. */
  buffer: Buffer = slab;
  /** The connection's queue is long: no more content until it has drained. */
  congested = false;

  readonly #connection: Connection;
  readonly #timers: Timers;
  readonly #flushTask: () => void;
  #start = 0;
  #at = 0;
  #end = 0;
  // As large as the last turn's output was, so that steady traffic finds room in one piece.
  #regionBytes = smallestRegionBytes;
  #turnBytes = 0;
  #flushed = 0;
  #scheduled = false;
  #closed = false;

  /** `turnEnds` may write more, which leaves with the rest. */
  constructor(connection: Connection, timers: Timers, turnEnds: () => void) {
    this.#connection = connection;
    this.#timers = timers;
    this.#flushTask = () => {
      this.#scheduled = false;
      if (this.#closed) return;
      turnEnds();
      this.flush();
      this.#regionBytes = fitting(this.#turnBytes);
      this.#turnBytes = 0;
    };
  }

  /** Bytes written since the start. */
  get written(): number {
    return this.#flushed + this.#at - this.#start;
  }

  /** Bytes handed to the connection since the start. */
  get flushed(): number {
    return this.#flushed;
  }

  /** Bytes that the system has not taken yet. */
  get queued(): number {
    return this.#at - this.#start + this.#connection.pendingBytes;
  }

  /** Takes `count` bytes of `buffer`, to be filled at once. Returns their offset. */
  reserve(count: number): number {
    if (this.#at + count > this.#end) this.#makeRoom(count);
    const at = this.#at;
    this.#at = at + count;
    if (!this.#scheduled) this.schedule();
    return at;
  }

  /** Gives back the end of what was reserved last: `offset` is behind the last byte that was used. */
  trim(offset: number): void {
    this.#at = offset;
  }

  /** Makes sure that `turnEnds` is called, even if nothing is written. */
  schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    this.#timers.soon(this.#flushTask);
  }

  /** Hands over what was written so far. */
  flush(): void {
    const bytes = this.#at - this.#start;
    if (bytes === 0 || this.#closed) return;
    const chunk = this.buffer.subarray(this.#start, this.#at);
    // The rest of the region goes back, unless somebody has taken space behind it.
    if (this.buffer === slab && this.#end === slabUsed) slabUsed = this.#at;
    this.#start = this.#at;
    this.#end = this.#at;
    this.#flushed += bytes;
    this.#turnBytes += bytes;
    if (!this.#connection.write(chunk)) this.congested = true;
  }

  /** Nothing more will be written; what was not handed over is dropped. */
  close(): void {
    this.#closed = true;
    this.#at = this.#start;
    this.#end = this.#start;
    this.buffer = slab;
  }

  #makeRoom(count: number): void {
    const pending = this.#at - this.#start;
    const last = this.buffer === slab && this.#end === slabUsed;
    if (last && pending > 0 && pending < largestRegionBytes && this.#at + count <= slab.length) {
      this.#end = Math.min(slab.length, this.#at + Math.max(count, pending));
      slabUsed = this.#end;
      return;
    }
    this.flush();
    const bytes = Math.max(count, this.#regionBytes);
    if (slabUsed + bytes > slab.length) {
      slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, bytes));
      slabUsed = 0;
    }
    this.buffer = slab;
    this.#start = slabUsed;
    this.#at = slabUsed;
    this.#end = slabUsed + bytes;
    slabUsed = this.#end;
  }
}

function fitting(bytes: number): number {
  let region = smallestRegionBytes;
  while (region < bytes && region < largestRegionBytes) region *= 2;
  return region;
}
