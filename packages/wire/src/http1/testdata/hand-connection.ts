import type { Address, Connection, ConnectionHandler } from '@heddle/kernel';

/** A connection whose other end is the test: it feeds bytes in by hand and sees what is written. */
export class HandConnection implements Connection {
  readonly local: Address = { host: '127.0.0.1', port: 1 };
  readonly remote: Address = { host: '127.0.0.1', port: 2 };
  /** How much may be written before `write` says no; what is beyond stays pending until `takeAll`. */
  capacity: number = Number.POSITIVE_INFINITY;
  pendingBytes = 0;
  paused = false;
  ended = false;
  destroyed = false;
  /** How often `write` was called. */
  writes = 0;
  /** Bytes of what was fed whose memory has been given back. */
  givenBack = 0;
  readonly #written: Uint8Array[] = [];
  #handler: ConnectionHandler | undefined;
  #closed = false;

  /** All that was written so far, one character for each byte. */
  get written(): string {
    return Buffer.concat(this.#written).toString('latin1');
  }

  open(handler: ConnectionHandler): void {
    this.#handler = handler;
  }

  write(chunk: Uint8Array): boolean {
    if (this.ended || this.destroyed) return false;
    this.writes++;
    this.#written.push(Buffer.from(chunk));
    if (this.capacity === Number.POSITIVE_INFINITY) return true;
    this.pendingBytes += chunk.byteLength;
    return this.pendingBytes < this.capacity;
  }

  writeAll(chunks: readonly Uint8Array[]): boolean {
    return this.write(Buffer.concat(chunks));
  }

  end(): void {
    this.ended = true;
  }

  destroy(): void {
    this.destroyed = true;
  }

  /** Whoever looks at it again all the same finds that it has changed. */
  giveBack(chunk: Uint8Array): void {
    chunk.fill(0xdb);
    this.givenBack += chunk.byteLength;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  /** Bytes come. None after the connection was dropped. */
  feed(bytes: string | Uint8Array): void {
    if (this.destroyed) return;
    this.#handler?.data(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : new Uint8Array(bytes));
  }

  /** The other end finishes sending. */
  finish(): void {
    if (!this.destroyed) this.#handler?.end();
  }

  /** The other end takes all that is pending. */
  takeAll(): void {
    this.pendingBytes = 0;
    this.#handler?.drain();
  }

  /** The connection is gone, as `destroy` or the other end has it. Once. */
  close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.destroyed = true;
    this.#handler?.close(error);
  }
}

/** Lets everything that is ready run: promise jobs, as many as an exchange takes, but no timer. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 40; turn++) await Promise.resolve();
}
