import type { Connection, Timers } from '@heddle/kernel';
import { defaultFrameBytes } from './frame.ts';
import { release, type Slab, slabFor } from './output-space.ts';

const nowhere = Buffer.alloc(0);
const smallestRegionBytes = 512;
// A turn that gathers more than this hands it over at once: nothing is gained by larger writes.
const largestRegionBytes = 65_536;

/** Gathers what is written to a connection in one turn, so that it leaves as one write. */
export class Output {
  /** Where reserved space is. `reserve` may change it: read it afterwards. */
  buffer: Buffer = nowhere;
  /** The connection's queue is long: no more content until it has drained. */
  congested = false;

  /** Where the payload of the DATA frame begins that was noted last. */
  dataStart = 0;

  readonly #connection: Connection;
  readonly #timers: Timers;
  readonly #flushTask: () => void;
  // The region that is being filled; a connection with nothing to say has none.
  #slab: Slab | undefined;
  #start = 0;
  #at = 0;
  #end = 0;
  // The stream of that frame, and where its payload ends; -1 where nothing may be added.
  #dataStream = 0;
  #dataEnd = -1;
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

  /** Says that the frame written last is DATA with `count` bytes from `start`, to which more may be added. */
  noteData(streamId: number, start: number, count: number): void {
    this.#dataStream = streamId;
    this.dataStart = start;
    this.#dataEnd = start + count;
  }

  /**
   * As `reserve`, behind the payload of the DATA frame that was noted last. Negative where that is not the stream's, is
   * not the last of the output any more, or would become too large.
   */
  extendData(streamId: number, count: number): number {
    if (this.#dataEnd !== this.#at || streamId !== this.#dataStream) return -1;
    if (this.#at + count - this.dataStart > defaultFrameBytes) return -1;
    if (this.#at + count > this.#end && !this.#widen(count)) return -1;
    const at = this.#at;
    this.#at = at + count;
    this.#dataEnd = this.#at;
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
    const slab = this.#slab as Slab;
    const chunk = this.buffer.subarray(this.#start, this.#at);
    // The rest of the region goes back, unless somebody has taken space behind it.
    if (this.#end === slab.used) slab.used = this.#at;
    this.#leave();
    this.#flushed += bytes;
    this.#turnBytes += bytes;
    if (!this.#connection.write(chunk)) this.congested = true;
    if (this.#connection.pendingBytes === 0) release(slab);
  }

  /** Nothing more will be written; what was not handed over is dropped. */
  close(): void {
    this.#closed = true;
    if (this.#slab !== undefined) release(this.#slab);
    this.#leave();
  }

  #leave(): void {
    this.#slab = undefined;
    this.buffer = nowhere;
    this.#start = 0;
    this.#at = 0;
    this.#end = 0;
    this.#dataEnd = -1;
  }

  #makeRoom(count: number): void {
    if (this.#widen(count)) return;
    this.flush();
    this.#take(Math.max(count, this.#regionBytes));
  }

  /**
   * Makes the region larger: where it is, or by moving to another one. When a turn's output is cut depends on its bytes
   * alone, and never on who has taken memory beside it; else two runs of a simulation would differ. False where the turn
   * has gathered enough, or nothing.
   */
  #widen(count: number): boolean {
    const slab = this.#slab;
    const pending = this.#at - this.#start;
    if (slab === undefined || pending === 0 || pending >= largestRegionBytes) return false;
    if (this.#grow(slab, count)) return true;
    const [from, data] = [this.#start, this.dataStart - this.#start];
    this.#take(pending + roomBehind(pending, count));
    slab.buffer.copy(this.buffer, this.#start, from, from + pending);
    this.#at = this.#start + pending;
    this.dataStart = this.#start + data;
    if (this.#dataEnd >= 0) this.#dataEnd += this.#start - from;
    release(slab);
    return true;
  }

  /** Begins a region of `bytes`. */
  #take(bytes: number): void {
    const slab = slabFor(bytes);
    slab.held++;
    this.#slab = slab;
    this.buffer = slab.buffer;
    this.#start = slab.used;
    this.#at = slab.used;
    this.#end = slab.used + bytes;
    slab.used = this.#end;
  }

  /** Makes the region larger where nobody has taken the space behind it. */
  #grow(slab: Slab, count: number): boolean {
    if (this.#end !== slab.used || this.#at + count > slab.buffer.length) return false;
    const pending = this.#at - this.#start;
    this.#end = Math.min(slab.buffer.length, this.#at + roomBehind(pending, count));
    slab.used = this.#end;
    return true;
  }
}

/** Twice as large each time, and no larger than what is handed over at once. */
function roomBehind(pending: number, count: number): number {
  return Math.max(count, Math.min(pending, largestRegionBytes - pending));
}

function fitting(bytes: number): number {
  let region = smallestRegionBytes;
  while (region < bytes && region < largestRegionBytes) region *= 2;
  return region;
}
