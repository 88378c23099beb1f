import { type Call, type Connection, HeddleError, type Runtime } from '@heddle/kernel';
import { wholeBytes } from '../message/body.ts';
import type { HttpRequest, HttpResponse, HttpService } from '../message/http.ts';
import { asExtendedConnect, asSwitched } from '../message/web-socket.ts';
import { type AbuseCounters, tooManyPings } from './abuse-guard.ts';
import { ClientStream, requestSpecial } from './client-stream.ts';
import { ConnectionFault, type ErrorCode, errorCode } from './error-code.ts';
import { clientPreface, largest31 } from './frame.ts';
import { isFieldValue } from './hpack/header-field.ts';
import { Keepalive, type KeptAlive } from './keepalive.ts';
import { defaultLimits, type Http2Limits } from './limits.ts';
import { Session, type SessionState } from './session.ts';
import { setting } from './settings.ts';
import type { Http2Stream } from './stream.ts';

/** What `connectHttp2` may be told. */
export interface ConnectHttp2Options {
  readonly runtime: Runtime;
  /** Each one that is missing is as in `defaultLimits`. */
  readonly limits?: Partial<Http2Limits>;
}

/** The client's side of one connection. */
export interface Http2ClientConnection {
  /**
   * Sends a request. Rejects with `unavailable`, `sent: false`, when the connection takes no new streams: whoever
   * calls looks at `available` first, and queues.
   */
  readonly request: HttpService;
  /** Streams that the server lets us have open at once. 100 until it has said so. */
  readonly maxConcurrent: number;
  /** Streams that are open. */
  readonly active: number;
  /** Streams that may be opened now; 0 unless the state is `open`. */
  readonly available: number;
  readonly state: SessionState;
  /** What the server did that it should not do so often. */
  readonly abuse: Readonly<AbuseCounters>;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  /** The server has closed it because of our PINGs: the next connection should send fewer. */
  readonly tooManyPings: boolean;
  /** Why the server would not have us, when TLS said so after the handshake. */
  readonly refusal: HeddleError | undefined;
  /** Hears of every change of `state`, `available` and `active`. One listener; must not throw. */
  onStateChange: (() => void) | undefined;
  /** Resolves with the round trip in milliseconds; rejects when the connection is lost. */
  ping(): Promise<number>;
  /** Opens no more streams, and closes the connection when those that are open have ended. */
  close(): Promise<void>;
  /** Drops the connection; open calls fail with `error`. */
  destroy(error?: HeddleError): void;
}

const concurrentBeforeSettings = 100;

/**
 * Speaks HTTP/2 (RFC 9113) to a server, with prior knowledge or after ALPN. The connection must not have been opened.
 * The call of a request ends with the last byte of its response; giving the call up resets the stream.
 */
export function connectHttp2(connection: Connection, options: ConnectHttp2Options): Http2ClientConnection {
  return new ClientSession(connection, options);
}

class ClientSession extends Session implements Http2ClientConnection, KeptAlive {
  readonly request: HttpService;
  tooManyPings = false;
  onStateChange: (() => void) | undefined;
  #nextStreamId = 1;
  #settingsCame = false;
  readonly #settled: Promise<void>;
  #markSettled: () => void = () => {};
  #fresh: ClientStream[] = [];
  readonly #keepalive: Keepalive | undefined;

  constructor(connection: Connection, options: ConnectHttp2Options) {
    super(connection, options.runtime, { ...defaultLimits, ...options.limits });
    this.request = (request, call) => this.#request(request, call);
    this.#settled = new Promise((resolve) => {
      this.#markSettled = resolve;
    });
    const at = this.output.reserve(clientPreface.length);
    this.output.buffer.set(clientPreface, at);
    this.open([setting.enablePush, 0], undefined);
    this.#keepalive = Keepalive.of(this);
  }

  get maxConcurrent(): number {
    return this.#settingsCame ? this.peer.maxConcurrentStreams : concurrentBeforeSettings;
  }

  get available(): number {
    return this.state === 'open' ? Math.max(0, this.maxConcurrent - this.active) : 0;
  }

  get abuse(): Readonly<AbuseCounters> {
    return this.guard.counters;
  }

  async ping(): Promise<number> {
    const { clock } = this.runtime;
    const startedMs = clock.nowMs();
    await this.pinged();
    return clock.nowMs() - startedMs;
  }

  askAlive(): void {
    this.pinged().catch(() => {});
  }

  async close(): Promise<void> {
    if (this.state === 'open') this.goaway(0);
    this.changed();
    await this.closed;
  }

  override isIdle(streamId: number): boolean {
    return (streamId & 1) === 0 || streamId >= this.#nextStreamId;
  }

  // A pool knows better how long a connection is worth keeping.
  override idle(): void {}

  override headReceived(streamId: number, endStream: boolean): void {
    const stream = this.streams.get(streamId);
    if (stream instanceof ClientStream && !stream.receive.ended) {
      stream.headReceived(this.head, endStream);
      if (!stream.receive.taken) this.#fresh.push(stream);
      return;
    }
    if (this.isIdle(streamId))
      throw new ConnectionFault(errorCode.protocolError, 'HEADERS on an idle stream');
    if (!this.wasReset(streamId))
      throw new ConnectionFault(errorCode.streamClosed, 'HEADERS on a closed stream');
    this.guard.control('strays');
  }

  override resetReceived(stream: Http2Stream, code: ErrorCode): void {
    if (stream instanceof ClientStream) stream.resetReceived(code);
  }

  override goawayReceived(lastStreamId: number, code: ErrorCode, debug: string): void {
    if (code === errorCode.enhanceYourCalm && debug === tooManyPings) this.tooManyPings = true;
    if (this.state === 'open') this.setState('draining');
    const message = `the server is going away (${code}${debug === '' ? '' : `, ${debug}`}) and has not looked at the request`;
    const error = new HeddleError({ code: 'unavailable', reason: 'GOAWAY', message, sent: false });
    for (const stream of this.streams.values()) if (stream.id > lastStreamId) stream.fail(error);
    this.changed();
  }

  override settingsReceived(): void {
    this.#settingsCame = true;
    this.#markSettled();
    this.changed();
  }

  // The server opens no streams towards us.
  override get lastPeerStream(): number {
    return 0;
  }

  protected override chunkRead(): void {
    this.#keepalive?.heard();
    const fresh = this.#fresh;
    if (fresh.length === 0) return;
    this.#fresh = [];
    for (const stream of fresh) stream.handOver();
  }

  protected override changed(): void {
    if (this.state === 'draining' && this.active === 0) this.finish();
    if (this.isOver) this.#keepalive?.stop();
    if (this.state === 'closed') this.#markSettled();
    this.onStateChange?.();
  }

  #request(request: HttpRequest, call: Call): Promise<HttpResponse> {
    if (request.protocol !== undefined) return this.#tunnel(request, call);
    try {
      return this.#open(request, call).response;
    } catch (thrown) {
      return Promise.reject(HeddleError.from(thrown));
    }
  }

  async #tunnel(request: HttpRequest, call: Call): Promise<HttpResponse> {
    // Whoever saw a stream free gets it, as long as nothing is waited for.
    if (!this.#settingsCame) await this.#settled;
    this.#requireExtendedConnect();
    if (request.method === 'CONNECT') return this.#open(request, call).response;
    return asSwitched(request, await this.#open(asExtendedConnect(request), call).response);
  }

  #open(request: HttpRequest, call: Call): ClientStream {
    if (call.cancelled !== undefined) throw call.cancelled;
    if (this.available === 0) throw this.#unavailable();
    return this.#start(request, call);
  }

  #start(request: HttpRequest, call: Call): ClientStream {
    const { body } = request;
    const id = this.#nextStreamId;
    const bytes = wholeBytes(body);
    const endStream = bytes !== undefined && bytes.length === 0 && body.trailers === undefined;
    const special = requestSpecial(request);
    if (!this.headerWriter.repeat(id, special, request.fields, endStream)) {
      if (!special.every(isFieldValue)) throw invalidHead();
      this.headerWriter.writeNew(id, special, request.fields, endStream);
    }
    this.#nextStreamId += 2;
    const stream = new ClientStream(this, id, request, call);
    this.streams.set(id, stream);
    if (this.#nextStreamId > largest31) this.setState('draining');
    else this.changed();
    if (endStream) stream.send.ended = true;
    else stream.send.start(body);
    return stream;
  }

  /** RFC 8441 section 3: only when the server has said that it can. */
  #requireExtendedConnect(): void {
    if (this.peer.connectProtocol || !this.#settingsCame) return;
    const message =
      'the server does not take extended CONNECT: it has not sent SETTINGS_ENABLE_CONNECT_PROTOCOL';
    throw new HeddleError({ code: 'unimplemented', reason: 'NO_EXTENDED_CONNECT', message, sent: false });
  }

  #unavailable(): HeddleError {
    const message = `the HTTP/2 connection is ${this.state} with ${this.active} of ${this.maxConcurrent} streams open`;
    return new HeddleError({ code: 'unavailable', reason: 'NO_STREAM_AVAILABLE', message, sent: false });
  }
}

function invalidHead(): HeddleError {
  const message = 'the method, authority or path of the request has characters that cannot be sent';
  return new HeddleError({ code: 'invalid_argument', reason: 'INVALID_REQUEST', message, sent: false });
}
