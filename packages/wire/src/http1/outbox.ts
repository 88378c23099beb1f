import type { Connection, Timers } from '@heddle/kernel';
import { headWriter } from './head-writer.ts';

// With this much gathered, a turn need not end before it goes out.
const enoughBytes = 32_768;
// Up to here copying is cheaper than a write of several pieces.
const joinBytes = 4096;
// What has to wait and fills less than this part of the memory it lies in is copied out of it.
const leastPart = 4;

/**
 * The way out of a connection. Between `cork` and `uncork` it gathers what is written, so that a head, the first
 * bytes of content and the answers to pipelined requests leave in one write.
 */
export class Outbox {
  /** True from a write that filled the queue to `drained`. */
  blocked = false;
  readonly #connection: Connection;
  readonly #timers: Timers;
  #corks = 0;
  #gathered: Uint8Array[] = [];
  #gatheredBytes = 0;
  /** The system has taken all that was written, as far as is known: it may have since where this is false. */
  #isTaken = true;

  constructor(connection: Connection, timers: Timers) {
    this.#connection = connection;
    this.#timers = timers;
  }

  /** True when all that was written has been taken by the system. */
  get empty(): boolean {
    return this.#gatheredBytes === 0 && this.#connection.pendingBytes === 0;
  }

  write(bytes: Uint8Array): void {
    if (this.#corks === 0) {
      this.#send(bytes);
      return;
    }
    this.#gathered.push(bytes);
    this.#gatheredBytes += bytes.byteLength;
    if (this.#gatheredBytes > enoughBytes) this.#flush();
  }

  /** The connection's queue is empty again. */
  drained(): void {
    this.blocked = false;
  }

  /** Runs `task` once others have had their turn. */
  soon(task: () => void): void {
    this.#timers.soon(task);
  }

  cork(): void {
    this.#corks++;
  }

  uncork(): void {
    this.#corks--;
    if (this.#corks === 0) this.#flush();
  }

  /** Nothing more will be written. What was, is sent first. */
  end(): void {
    this.#flush();
    this.#connection.end();
  }

  #flush(): void {
    const gathered = this.#gathered;
    if (gathered.length === 0) return;
    const bytes = this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    const [only] = gathered;
    if (gathered.length === 1 && only !== undefined) this.#send(only);
    else if (bytes <= joinBytes) this.#send(Buffer.concat(gathered, bytes));
    else {
      if (!this.#connection.writeAll(this.#waits ? gathered.map(compact) : gathered)) this.blocked = true;
      this.#isTaken = this.#connection.pendingBytes === 0;
    }
  }

  #send(bytes: Uint8Array): void {
    if (!this.#connection.write(this.#waits ? compact(bytes) : bytes)) this.blocked = true;
    this.#isTaken = this.#connection.pendingBytes === 0;
    if (this.#isTaken) headWriter.giveBack(bytes);
  }

  /** What is written now has to wait until the peer reads. */
  get #waits(): boolean {
    return !this.#isTaken && this.#connection.pendingBytes > 0;
  }
}

/**
 * In memory of its own, where it is a small part of what others share: a peer that does not read, and gets a little again
 * and again, would keep all of that alive.
 */
function compact(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * leastPart < bytes.buffer.byteLength ? new Uint8Array(bytes) : bytes;
}
