import type { Address, Connection, ConnectionHandler } from '../../ports/net.ts';
import type { Death, SimulatedProcess } from '../process.ts';
import type { Segment, Stream, StreamReceiver, StreamSender } from './stream.ts';

// Node's default high-water mark for a socket.
const longQueueBytes = 64 * 1024;

/** What an endpoint needs of the host that it is on. */
export interface EndpointHost {
  readonly up: boolean;
  /** Half of the processes that are killed with nothing unread are seen to reset all the same. */
  coin(): boolean;
  forget(endpoint: Endpoint): void;
  /** Later, in the system of the host. */
  after(delayMs: number, task: () => void): void;
  note(endpoint: Endpoint, what: string, bytes?: Uint8Array): void;
}

// Linux, tcp_fin_timeout: how long a system waits for the end of a stream that nobody reads any more.
const orphanMs = 60_000;

type Ending = 'open' | 'orphaned' | 'gone';

/** One end of a connection: what a socket is to its process. */
export class Endpoint implements Connection, StreamSender, StreamReceiver {
  readonly id: string;
  readonly local: Address;
  readonly remote: Address;
  readonly #process: SimulatedProcess;
  readonly #host: EndpointHost;
  readonly #accept: ((connection: Connection) => void) | undefined;
  #outgoing: Stream | undefined;
  #incoming: Stream | undefined;
  #peer: Endpoint | undefined;
  #handler: ConnectionHandler | undefined;
  #inbox: Segment[] = [];
  #unreadBytes = 0;
  #ending: Ending = 'open';
  #closed = false;
  #paused = false;
  #wantsDrain = false;
  #readAll = false;
  #noMoreWrites = false;
  #wroteAll = false;
  #readPlanned = false;

  constructor(options: {
    readonly id: string;
    readonly local: Address;
    readonly remote: Address;
    readonly process: SimulatedProcess;
    readonly host: EndpointHost;
    /** On the listening side: whom to hand it to. */
    readonly accept?: (connection: Connection) => void;
  }) {
    this.id = options.id;
    this.local = options.local;
    this.remote = options.remote;
    this.#process = options.process;
    this.#host = options.host;
    this.#accept = options.accept;
  }

  /** Called once, before anything else. */
  attach(peer: Endpoint, outgoing: Stream, incoming: Stream): void {
    this.#peer = peer;
    this.#outgoing = outgoing;
    this.#incoming = incoming;
  }

  get presence(): 'there' | 'orphaned' | 'gone' | 'down' {
    if (!this.#host.up) return 'down';
    return this.#ending === 'open' ? 'there' : this.#ending;
  }

  /** The program still has it. */
  get held(): boolean {
    return !this.#closed;
  }

  get unreadBytes(): number {
    return this.#unreadBytes;
  }

  get pendingBytes(): number {
    return this.#closed ? 0 : (this.#outgoing?.pendingBytes ?? 0);
  }

  // What the program calls.

  open(handler: ConnectionHandler): void {
    this.#handler = handler;
    this.#planRead();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#closed || this.#noMoreWrites || !this.#process.alive) return false;
    this.#outgoing?.write(chunk);
    if (this.pendingBytes < longQueueBytes) return true;
    this.#wantsDrain = true;
    return false;
  }

  writeAll(chunks: readonly Uint8Array[]): boolean {
    let more = true;
    for (const chunk of chunks) more = this.write(chunk);
    return more;
  }

  end(): void {
    if (this.#closed || this.#noMoreWrites || !this.#process.alive) return;
    this.#noMoreWrites = true;
    this.#outgoing?.finish();
  }

  destroy(): void {
    if (this.#closed || !this.#process.alive) return;
    this.#letGo(this.#unreadBytes > 0);
    this.#close(undefined);
  }

  /** Whoever looks at it again all the same finds that it has changed. */
  giveBack(chunk: Uint8Array): void {
    chunk.fill(0xdb);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#planRead();
  }

  // What the streams call.

  receive(segment: Segment): void {
    if (this.#ending === 'orphaned' && segment.kind === 'fin') this.#host.forget(this);
    if (segment.kind === 'probe' || this.#ending !== 'open') return;
    if (segment.kind === 'open') {
      this.#process.enter(() => {
        if (!this.#closed) this.#accept?.(this);
      });
      return;
    }
    this.#inbox.push(segment);
    this.#unreadBytes += segment.bytes.byteLength;
    if (!this.#readPlanned) this.#enterToRead();
  }

  drained(): void {
    if (!this.#wantsDrain || this.#closed) return;
    this.#wantsDrain = false;
    this.#process.enter(() => {
      if (!this.#closed && !this.#noMoreWrites) this.#handler?.drain();
    });
  }

  finished(): void {
    this.#wroteAll = true;
    this.#closeIfDone();
  }

  failed(errno: 'ECONNRESET' | 'ETIMEDOUT'): void {
    if (this.#ending === 'open') this.#host.note(this, errno === 'ECONNRESET' ? 'reset' : 'timed out');
    this.#ending = 'gone';
    this.#outgoing?.vanish();
    this.#inbox = [];
    this.#unreadBytes = 0;
    this.#host.forget(this);
    this.#close(errnoError(errno));
  }

  // What the host calls.

  /** The process has died with this open. */
  lose(death: Death): void {
    this.#closed = true;
    if (death === 'power') {
      this.#ending = 'gone';
      this.#outgoing?.vanish();
      this.#host.forget(this);
    } else if (this.#ending === 'open') {
      this.#letGo(this.#unreadBytes > 0 || this.#host.coin());
    }
  }

  /** With unread bytes a system resets, so that the peer learns that they were not read (RFC 1122, 4.2.2.13). */
  #letGo(reset: boolean): void {
    this.#inbox = [];
    this.#unreadBytes = 0;
    if (!reset) {
      this.#ending = 'orphaned';
      this.#outgoing?.abandon();
      if (this.#readAll) this.#host.forget(this);
      else this.#host.after(orphanMs, () => this.#giveUpOrphan());
      return;
    }
    this.#ending = 'gone';
    this.#outgoing?.reset(() => {
      if (this.#peer?.presence === 'there') this.#peer.failed('ECONNRESET');
    });
    this.#host.forget(this);
  }

  #giveUpOrphan(): void {
    this.#ending = 'gone';
    this.#host.forget(this);
  }

  #planRead(): void {
    if (this.#readPlanned || this.#inbox.length === 0 || this.#paused || this.#handler === undefined) return;
    this.#readPlanned = true;
    this.#process.timers.soon(() => {
      this.#readPlanned = false;
      this.#read();
    });
  }

  #enterToRead(): void {
    this.#readPlanned = true;
    this.#process.enter(() => {
      this.#readPlanned = false;
      this.#read();
    });
  }

  /** Hands over one thing; the next comes in a turn of its own. */
  #read(): void {
    const handler = this.#handler;
    if (this.#closed || this.#paused || handler === undefined) return;
    const first = this.#inbox[0];
    if (first === undefined) return;
    if (first.kind === 'fin') {
      this.#inbox.shift();
      this.#readAll = true;
      this.#host.note(this, 'end');
      handler.end();
      this.#closeIfDone();
      return;
    }
    const chunk = this.#takeUnread();
    this.#unreadBytes -= chunk.byteLength;
    this.#incoming?.windowOpened();
    this.#host.note(this, 'data', chunk);
    handler.data(chunk);
    this.#planRead();
  }

  /** All that has come while nobody read is read as one. */
  #takeUnread(): Uint8Array {
    const fin = this.#inbox.findIndex((segment) => segment.kind === 'fin');
    const taken = this.#inbox.splice(0, fin < 0 ? this.#inbox.length : fin);
    const [only] = taken;
    if (taken.length === 1 && only !== undefined) return only.bytes;
    const joined = new Uint8Array(this.#unreadBytes);
    let at = 0;
    for (const { bytes } of taken) {
      joined.set(bytes, at);
      at += bytes.byteLength;
    }
    return joined;
  }

  #closeIfDone(): void {
    if (!this.#readAll || !this.#wroteAll || this.#closed) return;
    this.#ending = 'orphaned';
    this.#host.forget(this);
    this.#close(undefined);
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#process.timers.soon(() => {
      this.#host.note(this, error === undefined ? 'close' : `close: ${error.message}`);
      this.#handler?.close(error);
    });
  }
}

function errnoError(code: string): Error {
  return Object.assign(new Error(`connection broken: ${code}`), { code });
}
