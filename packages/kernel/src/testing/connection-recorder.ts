import assert from 'node:assert/strict';
import type { Connection } from '../ports/net.ts';

/** Opens a connection and writes down what it tells, checking the order that the port promises. */
export class ConnectionRecorder {
  readonly connection: Connection;
  readonly events: string[] = [];
  /** Settles at the peer's end of stream, or at the close if that comes first. */
  readonly ended: Promise<void>;
  /** Settles at the close, with its error. */
  readonly closed: Promise<Error | undefined>;
  bytes = 0;
  #chunks: Uint8Array[] = [];
  #inCall = false;
  #wake: (() => void)[] = [];
  #isClosed = false;

  constructor(connection: Connection, options: { readonly echo?: boolean } = {}) {
    this.connection = connection;
    let ended: () => void = () => {};
    let closed: (error: Error | undefined) => void = () => {};
    this.ended = new Promise((resolve) => {
      ended = resolve;
    });
    this.closed = new Promise((resolve) => {
      closed = resolve;
    });
    connection.open({
      data: (chunk) => {
        this.#event('data', false);
        this.bytes += chunk.byteLength;
        this.#chunks.push(chunk.slice());
        if (options.echo === true) this.write(chunk.slice());
        // It belongs to the handler: nobody may notice this.
        chunk.fill(0);
        this.#stir();
      },
      end: () => {
        this.#event('end');
        if (options.echo === true) this.act(() => connection.end());
        ended();
        this.#stir();
      },
      drain: () => {
        this.#event('drain');
        this.#stir();
      },
      close: (error) => {
        this.#event('close');
        this.#isClosed = true;
        ended();
        closed(error);
        this.#stir();
      },
    });
  }

  /** All that has come, as one. */
  get content(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#chunks));
  }

  /** Writes, and fails if the handler is called from within. */
  write(chunk: Uint8Array): boolean {
    return this.act(() => this.connection.write(chunk));
  }

  /** Does something to the connection, and fails if the handler is called from within. */
  act<T>(action: () => T): T {
    const outer = this.#inCall;
    this.#inCall = true;
    try {
      return action();
    } finally {
      this.#inCall = outer;
    }
  }

  /** Resolves once `condition` holds; it is asked after each event. Rejects if the connection closes before. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      assert.ok(!this.#isClosed, `closed after ${this.events.join(' ')}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  #event(what: string, record = true): void {
    assert.ok(!this.#inCall, `${what} came from within a call`);
    assert.ok(!this.#isClosed, `${what} came after close`);
    if (what === 'data') assert.ok(!this.events.includes('end'), 'data came after the end');
    if (record || this.events.at(-1) !== what) this.events.push(what);
  }

  #stir(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const resolve of waiting) resolve();
  }
}
