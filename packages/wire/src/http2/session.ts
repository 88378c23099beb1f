import { type Address, type Connection, HeddleError, type Runtime } from '@heddle/kernel';
import { AbuseGuard } from './abuse-guard.ts';
import { ConnectionFault, type ErrorCode, errorCode, errorCodeName } from './error-code.ts';
import { initialWindowBytes } from './frame.ts';
import { FrameReceiver, type FrameSession } from './frame-receiver.ts';
import { writeGoaway, writePing, writeRstStream, writeSettings, writeWindowUpdate } from './frame-writer.ts';
import { HeaderWriter } from './header-writer.ts';
import type { Link, Sender } from './link.ts';
import type { Http2Limits } from './limits.ts';
import { MessageHead } from './message-head.ts';
import { Output } from './output.ts';
import { SessionWatch, type Watched } from './session-watch.ts';
import { PeerSettings, setting } from './settings.ts';
import type { Http2Stream } from './stream.ts';
import { StreamTable } from './stream-table.ts';

/**
 * - `open`: new streams are welcome;
 * - `draining`: those that are open go on, new ones are not;
 * - `closing`: the last frame was written; nothing is read any more;
 * - `closed`: the connection is gone.
 */
export type SessionState = 'open' | 'draining' | 'closing' | 'closed';

// Frames may still be on their way for a stream that we have reset. More of these are not remembered.
const rememberedResets = 256;

/** What both roles share of a connection: streams, windows, output, and how it ends. */
export abstract class Session implements Link, FrameSession, Watched {
  readonly runtime: Runtime;
  readonly limits: Http2Limits;
  /** Why the peer would not have us, when TLS said so after the handshake. */
  refusal: HeddleError | undefined;
  readonly peer: PeerSettings = new PeerSettings();
  readonly guard: AbuseGuard;
  readonly output: Output;
  readonly headerWriter: HeaderWriter;
  readonly head: MessageHead;
  readonly streams: StreamTable<Http2Stream> = new StreamTable();
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  readonly remote: Address;
  /** What the peer will take on the connection as a whole. */
  sendWindow: number = initialWindowBytes;
  /** What we still take on the connection as a whole. */
  receiveWindow: number;
  settingsAcknowledged = false;

  readonly #connection: Connection;
  readonly #receiver: FrameReceiver;
  readonly #watch: SessionWatch;
  /** Streams that we have reset, and how much content may still be on its way for each. */
  readonly #recentResets = new Map<number, number>();
  readonly #sendQueue: Sender[] = [];
  readonly #pings: { readonly resolve: () => void; readonly reject: (error: HeddleError) => void }[] = [];
  #state: SessionState = 'open';
  #unacknowledged = 0;
  #discarded = 0;
  #markClosed: () => void = () => {};

  constructor(connection: Connection, runtime: Runtime, limits: Http2Limits) {
    this.runtime = runtime;
    this.limits = limits;
    this.remote = connection.remote;
    this.receiveWindow = limits.connectionWindowBytes;
    this.guard = new AbuseGuard(limits, runtime.clock);
    this.output = new Output(connection, runtime.timers, () => this.#sendQueued());
    this.headerWriter = new HeaderWriter(this.output, this.peer);
    this.head = new MessageHead(limits);
    this.#connection = connection;
    this.#receiver = new FrameReceiver(this);
    this.#watch = new SessionWatch(this);
    this.closed = new Promise((resolve) => {
      this.#markClosed = resolve;
    });
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Nothing more will be read or written. */
  get isOver(): boolean {
    return this.#state === 'closing' || this.#state === 'closed';
  }

  /** Until the peer knows our settings it may send what holds without them. */
  get streamReceiveWindow(): number {
    const { streamWindowBytes } = this.limits;
    return this.settingsAcknowledged ? streamWindowBytes : Math.max(streamWindowBytes, initialWindowBytes);
  }

  /** Streams that are open. */
  get active(): number {
    return this.streams.size;
  }

  // What the roles differ in.

  abstract headReceived(streamId: number, endStream: boolean): void;
  abstract resetReceived(stream: Http2Stream, code: ErrorCode): void;
  abstract goawayReceived(lastStreamId: number, code: ErrorCode, debug: string): void;
  abstract isIdle(streamId: number): boolean;
  /** All frames of a chunk have been handled. */
  protected abstract chunkRead(): void;
  /** The highest stream of the peer's that we have looked at, for GOAWAY. */
  abstract get lastPeerStream(): number;
  /** Nothing was open for so long. */
  abstract idle(): void;
  /** The peer's settings came, at first or again. */
  settingsReceived(): void {}
  /** `state` has changed, or a stream has ended. */
  protected changed(): void {}

  /** Starts reading. `settings` are ours, beside what both roles announce. */
  protected open(settings: readonly number[], firstBytes: Uint8Array | undefined): void {
    const { streamWindowBytes, maxHeaderListBytes, connectionWindowBytes } = this.limits;
    const windowPair =
      streamWindowBytes === initialWindowBytes ? [] : [setting.initialWindowSize, streamWindowBytes];
    writeSettings(this.output, [...settings, ...windowPair, setting.maxHeaderListSize, maxHeaderListBytes]);
    if (connectionWindowBytes > initialWindowBytes) {
      writeWindowUpdate(this.output, 0, connectionWindowBytes - initialWindowBytes);
    }
    this.#watch.start();
    this.#connection.open({
      data: (chunk) => this.#data(chunk),
      end: () => this.#peerEnded(),
      drain: () => this.#drained(),
      close: (error) => this.#connectionClosed(error),
    });
    if (firstBytes !== undefined && firstBytes.length > 0) this.#data(firstBytes);
  }

  /** Reads what has come. A role may take bytes off the front first. */
  protected read(chunk: Buffer): void {
    this.#receiver.read(chunk);
  }

  /** A header block is unfinished since then; undefined if none is. */
  get headerBegunMs(): number | undefined {
    return this.#receiver.headerBegunMs;
  }

  forget(streamId: number): void {
    this.streams.delete(streamId);
    this.changed();
  }

  sendReset(streamId: number, code: ErrorCode, onItsWayBytes = 0): void {
    if (this.#recentResets.size >= rememberedResets) {
      for (const oldest of this.#recentResets.keys()) {
        this.#recentResets.delete(oldest);
        break;
      }
    }
    this.#recentResets.set(streamId, onItsWayBytes);
    writeRstStream(this.output, streamId, code);
  }

  /** We have reset that stream not long ago: what comes for it was sent before the peer knew. */
  wasReset(streamId: number): boolean {
    return this.#recentResets.has(streamId);
  }

  excuses(streamId: number, contentBytes: number): boolean {
    const left = this.#recentResets.get(streamId) ?? 0;
    if (contentBytes === 0 || contentBytes > left) return false;
    this.#recentResets.set(streamId, left - contentBytes);
    return true;
  }

  /** The peer broke the protocol on one stream: resets it, whether we still know it or not. */
  streamFault(streamId: number, code: ErrorCode, message: string): void {
    const stream = this.streams.get(streamId);
    if (stream === undefined) {
      this.sendReset(streamId, code);
      return;
    }
    const text = `the HTTP/2 stream was reset (${errorCodeName(code)}): ${message}`;
    stream.reset(code, new HeddleError({ code: 'internal', reason: 'PROTOCOL_ERROR', message: text }));
  }

  credit(bytes: number): void {
    this.#unacknowledged += bytes;
    if (this.#unacknowledged * 2 < this.limits.connectionWindowBytes) return;
    this.receiveWindow += this.#unacknowledged;
    writeWindowUpdate(this.output, 0, this.#unacknowledged);
    this.#unacknowledged = 0;
  }

  queueSend(sender: Sender): void {
    if (sender.queued) return;
    sender.queued = true;
    this.#sendQueue.push(sender);
    if (this.sendWindow > 0 && !this.output.congested) this.output.schedule();
  }

  /** The connection's window has opened. */
  windowOpened(): void {
    this.#sendQueued();
  }

  /** Resolves when the peer has answered; rejects with `unavailable` / `CONNECTION_LOST` if it never will. */
  protected pinged(): Promise<void> {
    if (this.isOver) return Promise.reject(this.lost(undefined));
    writePing(this.output, false, this.runtime.random.bytes(8), 0);
    return new Promise((resolve, reject) => this.#pings.push({ resolve, reject }));
  }

  settingsKnown(): void {
    const before = this.streamReceiveWindow;
    this.settingsAcknowledged = true;
    const by = this.streamReceiveWindow - before;
    if (by !== 0) for (const stream of this.streams.values()) stream.receive.moveWindow(by);
  }

  /** The peer has answered a PING: the oldest, since answers keep the order. */
  pingAnswered(): boolean {
    const ping = this.#pings.shift();
    ping?.resolve();
    return ping !== undefined;
  }

  /** Tells the peer to open no stream above `lastStreamId`. */
  protected goaway(lastStreamId: number): void {
    if (this.#state === 'open') this.setState('draining');
    writeGoaway(this.output, lastStreamId, errorCode.noError, '');
  }

  protected setState(state: SessionState): void {
    this.#state = state;
    this.changed();
  }

  /** Ends the connection in good order: what was written leaves first. */
  protected finish(): void {
    this.#shut(this.lost(undefined));
  }

  /** The peer broke the protocol, or costs too much: tells it by GOAWAY and ends the connection. */
  fail(fault: ConnectionFault): void {
    if (this.isOver) return;
    const { code, message } = fault;
    const { host, port } = this.remote;
    const fields = { peer: `${host}:${port}`, code: errorCodeName(code), why: message };
    this.runtime.log('warn', 'an HTTP/2 peer broke the rules and its connection is closed', fields);
    writeGoaway(this.output, this.lastPeerStream, code, message);
    const text = `the HTTP/2 connection was closed: ${message}`;
    this.#shut(
      new HeddleError({ code: 'unavailable', reason: 'PROTOCOL_ERROR', message: text, cause: fault }),
    );
  }

  /** Drops the connection at once. Streams fail with `error`. */
  destroy(error: HeddleError = this.lost(undefined)): void {
    if (this.#state === 'closed') return;
    this.#shut(error);
    this.#connection.destroy();
  }

  /** What streams fail with when the connection is lost. */
  protected lost(cause: Error | undefined): HeddleError {
    // The port knows that nothing was read of what was written: TLS refused us.
    if (cause instanceof HeddleError && !cause.sent) {
      this.refusal = cause;
      return cause;
    }
    const { host, port } = this.remote;
    const message = `the HTTP/2 connection with ${host}:${port} was lost${cause === undefined ? '' : `: ${cause.message}`}`;
    return new HeddleError({ code: 'unavailable', reason: 'CONNECTION_LOST', message, cause });
  }

  #data(chunk: Uint8Array): void {
    if (this.isOver) {
      this.#discard(chunk.length);
      return;
    }
    try {
      this.read(
        Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength),
      );
      if (this.output.queued > this.limits.maxQueuedBytes) {
        this.guard.counters.unreadOutput++;
        throw new ConnectionFault(errorCode.enhanceYourCalm, 'too much unread output');
      }
    } catch (thrown) {
      if (!(thrown instanceof ConnectionFault)) throw thrown;
      this.fail(thrown);
    }
    this.chunkRead();
  }

  /** Reads on for a while after the last frame, so that the peer gets to see it; but not for ever. */
  #discard(bytes: number): void {
    this.#discarded += bytes;
    if (this.#discarded > this.limits.maxQueuedBytes) this.#connection.destroy();
  }

  #shut(error: HeddleError): void {
    if (this.isOver) return;
    this.#receiver.stop();
    this.output.flush();
    this.output.close();
    this.#watch.stop();
    this.setState('closing');
    this.#failAll(error);
    this.#connection.end();
    const linger = this.runtime.timers.after(this.limits.lingerMs, () => this.#connection.destroy());
    void this.closed.then(() => linger.cancel());
  }

  #failAll(error: HeddleError): void {
    for (const stream of this.streams.values()) stream.lost(error);
  }

  #peerEnded(): void {
    if (this.#state === 'closing') this.#connection.destroy();
    else this.#shut(this.lost(undefined));
  }

  #drained(): void {
    this.output.congested = false;
    this.#watch.drained();
    this.#sendQueued();
  }

  #connectionClosed(error: Error | undefined): void {
    this.#receiver.stop();
    this.output.close();
    this.#watch.stop();
    this.setState('closed');
    this.#failAll(this.lost(error));
    for (const { reject } of this.#pings.splice(0)) reject(this.lost(error));
    this.#markClosed();
  }

  #sendQueued(): void {
    const queue = this.#sendQueue;
    for (let left = queue.length; left > 0 && this.sendWindow > 0 && !this.output.congested; left--) {
      const sender = queue.shift() as Sender;
      sender.queued = false;
      sender.proceed();
    }
    if (queue.length > 0 && this.sendWindow > 0 && !this.output.congested) this.output.schedule();
  }
}
