import { type Connection, HeddleError, type Runtime } from '@heddle/kernel';
import type { HttpService, Peer } from '../message/http.ts';
import type { AbuseCounters } from './abuse-guard.ts';
import { ConnectionFault, type ErrorCode, errorCode, StreamFault } from './error-code.ts';
import { clientPreface, largest31 } from './frame.ts';
import { defaultLimits, type Http2Limits } from './limits.ts';
import { requestProblem } from './request-head.ts';
import { type ServerSide, ServerStream } from './server-stream.ts';
import { Session } from './session.ts';
import { setting } from './settings.ts';
import type { Http2Stream } from './stream.ts';
import { errorOfReset } from './stream-error.ts';

/** What `serveHttp2` may be told. */
export interface ServeHttp2Options {
  readonly runtime: Runtime;
  /** Each one that is missing is as in `defaultLimits`. */
  readonly limits?: Partial<Http2Limits>;
  /** What was read from the connection before it was known to be HTTP/2. */
  readonly firstBytes?: Uint8Array;
  /** What requests say their scheme is. Default: `https` over TLS, else what the peer says, `http` or `https`. */
  readonly scheme?: 'http' | 'https';
}

/** The server's side of one connection. */
export interface Http2ServerConnection {
  /** Requests that are being answered. */
  readonly activeStreams: number;
  /** What the peer did that it should not do so often. */
  readonly abuse: Readonly<AbuseCounters>;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  /**
   * Lets requests that are open end, and takes no new ones: GOAWAY twice, as RFC 9113 section 6.8 describes, so that
   * nothing that was on its way is lost. Resolves when the last one has ended and the connection is closing.
   */
  drain(): Promise<void>;
  /** Drops the connection; calls are cancelled with `error`. */
  destroy(error?: HeddleError): void;
}

/**
 * Answers HTTP/2 requests (RFC 9113, with or without TLS below) with `service`. The connection must not have been
 * opened. Each request gets a root call with `peer` set, which is cancelled when the peer resets the stream or the
 * connection is lost, and ends with the response's last byte.
 */
export function serveHttp2(
  connection: Connection,
  service: HttpService,
  options: ServeHttp2Options,
): Http2ServerConnection {
  return new ServerSession(connection, service, options);
}

class ServerSession extends Session implements Http2ServerConnection, ServerSide {
  readonly service: HttpService;
  readonly scheme: 'http' | 'https' | undefined;
  readonly peerInfo: Peer;
  #prefaceRead = 0;
  #lastStreamId = 0;
  // Streams above this are not answered.
  #acceptUpTo = largest31;
  // Services at work, some perhaps for streams that the peer has reset.
  #working = 0;
  #fresh: ServerStream[] = [];
  #drained: Promise<void> | undefined;
  #markDrained: (() => void) | undefined;

  constructor(connection: Connection, service: HttpService, options: ServeHttp2Options) {
    super(connection, options.runtime, { ...defaultLimits, ...options.limits });
    this.service = service;
    this.scheme = options.scheme ?? (connection.tls === undefined ? undefined : 'https');
    this.peerInfo = { address: connection.remote, tls: connection.tls };
    const { maxConcurrentStreams } = this.limits;
    const settings = [setting.maxConcurrentStreams, maxConcurrentStreams, setting.enableConnectProtocol, 1];
    this.open([...settings, setting.noRfc7540Priorities, 1], options.firstBytes);
  }

  get activeStreams(): number {
    return this.active;
  }

  get abuse(): Readonly<AbuseCounters> {
    return this.guard.counters;
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain();
    return this.#drained;
  }

  working(by: 1 | -1): void {
    this.#working += by;
  }

  override isIdle(streamId: number): boolean {
    return (streamId & 1) === 0 || streamId > this.#lastStreamId;
  }

  override idle(): void {
    void this.drain();
  }

  override headReceived(streamId: number, endStream: boolean): void {
    const stream = this.streams.get(streamId);
    if (stream !== undefined) {
      this.#trailers(stream, endStream);
      return;
    }
    if ((streamId & 1) === 0)
      throw new ConnectionFault(errorCode.protocolError, 'a client stream with an even number');
    if (streamId <= this.#lastStreamId) {
      if (!this.wasReset(streamId))
        throw new ConnectionFault(errorCode.streamClosed, 'HEADERS on a closed stream');
      this.guard.control('strays');
      return;
    }
    this.#lastStreamId = streamId;
    if (streamId > this.#acceptUpTo) this.sendReset(streamId, errorCode.refusedStream);
    else if (!this.#isFull(streamId)) this.#accept(streamId, endStream);
  }

  override resetReceived(stream: Http2Stream, code: ErrorCode): void {
    const { message } = errorOfReset(code);
    stream.fail(new HeddleError({ code: 'cancelled', reason: 'STREAM_RESET', message }));
    this.guard.reset();
  }

  override goawayReceived(): void {
    // The client will open no more streams and let these end; then it closes. Nothing to do before.
  }

  override get lastPeerStream(): number {
    return this.#lastStreamId;
  }

  protected override read(chunk: Buffer): void {
    if (this.#prefaceRead === clientPreface.length) {
      super.read(chunk);
      return;
    }
    const count = Math.min(clientPreface.length - this.#prefaceRead, chunk.length);
    for (let at = 0; at < count; at++) {
      if (chunk[at] !== clientPreface[this.#prefaceRead++]) {
        throw new ConnectionFault(errorCode.protocolError, 'not the preface of HTTP/2');
      }
    }
    if (chunk.length > count) super.read(chunk.subarray(count));
  }

  // Requests are handed over when the chunk they came in has been read: by then many are complete, and those that
  // their client has already reset never start.
  protected override chunkRead(): void {
    const fresh = this.#fresh;
    if (fresh.length === 0) return;
    this.#fresh = [];
    for (const stream of fresh) if (!stream.closed) void stream.serve();
  }

  protected override changed(): void {
    if (this.#markDrained === undefined || (this.active > 0 && this.state === 'draining')) return;
    this.#markDrained();
    this.#markDrained = undefined;
  }

  #isFull(streamId: number): boolean {
    const { maxConcurrentStreams } = this.limits;
    // Twice: a client that resets a stream may open the next before the service has noticed.
    if (this.active < maxConcurrentStreams && this.#working < 2 * maxConcurrentStreams) return false;
    this.guard.counters.refusedStreams++;
    this.sendReset(streamId, errorCode.refusedStream);
    if (this.settingsAcknowledged) this.guard.fault();
    return true;
  }

  #accept(streamId: number, endStream: boolean): void {
    const { head } = this;
    if (head.tooLarge) {
      this.#refuseLarge(streamId, endStream);
      return;
    }
    const problem = head.isRequest ? undefined : requestProblem(head);
    if (problem !== undefined) throw new StreamFault(streamId, errorCode.protocolError, problem);
    head.acceptRequest();
    const stream = new ServerStream(this, streamId, this, head);
    this.streams.set(streamId, stream);
    if (endStream) stream.receive.end(undefined);
    this.guard.work();
    this.#fresh.push(stream);
  }

  /** Its fields were not kept, so nobody can answer it but we (RFC 6585 section 5). */
  #refuseLarge(streamId: number, endStream: boolean): void {
    this.headerWriter.write(streamId, [':status', '431'], undefined, true);
    if (!endStream) this.sendReset(streamId, errorCode.noError);
    this.guard.fault();
  }

  #trailers(stream: Http2Stream, endStream: boolean): void {
    const { head } = this;
    const { id } = stream;
    if (stream.receive.ended) throw new StreamFault(id, errorCode.streamClosed, 'HEADERS after the end');
    if (!endStream) throw new StreamFault(id, errorCode.protocolError, 'a second header section');
    if (head.tooLarge) throw new StreamFault(id, errorCode.enhanceYourCalm, 'the trailers are too large');
    if (head.problem !== undefined || head.pseudo) {
      throw new StreamFault(id, errorCode.protocolError, head.problem ?? 'a pseudo-field in trailers');
    }
    stream.receive.end(head.takeFields());
    stream.receiveEnded();
  }

  async #drain(): Promise<void> {
    if (this.state !== 'open') return;
    this.goaway(largest31);
    await this.#roundTrip();
    if (!this.isOver) {
      this.#acceptUpTo = this.#lastStreamId;
      this.goaway(this.#lastStreamId);
      await this.#lastStream();
    }
    this.finish();
  }

  /** Until no stream is open, or the connection is gone. */
  #lastStream(): Promise<void> {
    return new Promise((resolve) => {
      this.#markDrained = resolve;
      this.changed();
    });
  }

  /** Until the peer has surely seen the first GOAWAY; a peer that does not answer is given a moment. */
  #roundTrip(): Promise<void> {
    return new Promise((resolve) => {
      const limit = this.runtime.timers.after(this.limits.lingerMs, resolve);
      const answered = (): void => {
        limit.cancel();
        resolve();
      };
      this.pinged().then(answered, answered);
    });
  }
}
