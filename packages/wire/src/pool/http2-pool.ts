import { type Address, type Call, HeddleError, type Runtime } from '@heddle/kernel';
import { connectHttp2, defaultLimits, type Http2ClientConnection, type Http2Limits } from '../http2/index.ts';
import type { HttpRequest, HttpResponse } from '../message/http.ts';
import { closedPool } from './http1-pool.ts';
import type { Dial } from './dial.ts';
import { Sweep, type Sweepable } from '../sweep.ts';
import { type EndpointState, Link, type StateListener } from './link.ts';
import type { Pool } from './pool.ts';
import { WaitingLine } from './waiting-line.ts';

/** How many connections a pool keeps. Times in milliseconds. */
export interface Http2PoolLimits extends Http2Limits {
  /** Connections at a time that take requests; a second is made when the first has all the streams it may. Default 4. */
  readonly connections: number;
  /** Requests that wait for a stream; one more is refused. Default 1024. */
  readonly waiting: number;
  /** Time to connect. Default 5000. */
  readonly connectMs: number;
  /** A connection unused for so long is closed. Default 30000. */
  readonly idleMs: number;
  /** A connection older than this, give or take a tenth, finishes what is on it and gives way to a new one. Default 600000. */
  readonly ageMs: number;
  /** The same for so many requests, give or take a tenth. Default 1000000. */
  readonly requestsPerConnection: number;
}

/** The defaults. */
export const http2PoolLimits: Http2PoolLimits = {
  ...defaultLimits,
  connections: 4,
  waiting: 1024,
  connectMs: 5000,
  idleMs: 30_000,
  ageMs: 600_000,
  requestsPerConnection: 1_000_000,
};

/** What the pool knows of a connection beside what that knows itself. */
interface Term extends Sweepable {
  readonly connection: Http2ClientConnection;
  requestsLeft: number;
  /** Since the last look. */
  used: boolean;
}

/**
 * The HTTP/2 connections to one address: one, as long as that has streams to give. It is made when it is needed, and
 * again after a loss. One that the server sends away, or that has grown old here, finishes its streams while new
 * requests go to a new one.
 */
export class Http2Pool implements Pool {
  readonly link: Link;
  readonly #runtime: Runtime;
  readonly #address: Address;
  readonly #dial: Dial;
  #limits: Http2PoolLimits;
  readonly #sweep: Sweep;
  readonly #connections: Term[] = [];
  readonly #waiting: WaitingLine;
  #connecting: Promise<void> | undefined;
  #inFlight = 0;
  #closed: HeddleError | undefined;
  #whenEmpty: (() => void)[] = [];

  constructor(runtime: Runtime, address: Address, limits: Http2PoolLimits, dial: Dial) {
    this.#runtime = runtime;
    this.#address = address;
    this.#dial = dial;
    this.#limits = limits;
    this.#waiting = new WaitingLine(limits.waiting);
    this.#sweep = new Sweep(runtime, Math.max(10, Math.min(1000, limits.idleMs / 4)));
    this.link = new Link(runtime, () => void this.connect());
  }

  get state(): EndpointState {
    return this.link.state;
  }

  onState(listener: StateListener): () => void {
    return this.link.onState(listener);
  }

  /** Requests whose answer has not fully come. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** See `HttpService`. */
  request = (request: HttpRequest, call: Call): Promise<HttpResponse> => {
    this.#inFlight++;
    call.onEnd(this.#ended);
    const connection = this.#closed === undefined ? this.#withStream() : undefined;
    return connection === undefined ? this.#later(request, call) : connection.request(request, call);
  };

  connect(): Promise<void> {
    this.#connecting ??= this.#connect();
    return this.#connecting;
  }

  /** Takes no new request; resolves when none is in flight. */
  drain(): Promise<void> {
    this.#close(closedPool('is draining'));
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Drops everything. */
  close(): void {
    const error = closedPool('was closed');
    this.#close(error);
    for (const { connection } of this.#connections.slice()) connection.destroy(error.with({ sent: true }));
  }

  readonly #ended = (): void => {
    this.#inFlight--;
    if (this.#inFlight === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
  };

  #withStream(): Http2ClientConnection | undefined {
    for (const term of this.#connections) {
      if (term.connection.available === 0) continue;
      term.used = true;
      if (--term.requestsLeft === 0) this.#retire(term);
      return term.connection;
    }
    return undefined;
  }

  /** It takes no request but the one at hand, and closes when what is on it is done. */
  #retire(term: Term): void {
    // After the caller has put its request on it.
    this.#runtime.timers.soon(() => void term.connection.close());
  }

  async #later(request: HttpRequest, call: Call): Promise<HttpResponse> {
    try {
      for (;;) {
        if (this.#closed !== undefined) throw this.#closed;
        call.throwIfCancelled();
        // The stream is taken as soon as it is found: with a tick between, all who wake would find the same one.
        const connection = this.#withStream();
        if (connection !== undefined) return await connection.request(request, call);
        // While it fails, the back-off decides when it is tried again, not the number of requests.
        if (this.link.state === 'failing' && this.link.lastError !== undefined) throw this.link.lastError;
        if (this.#open() < this.#limits.connections) void this.connect();
        await this.#waiting.join(call);
      }
    } catch (thrown) {
      request.body.cancel();
      throw thrown;
    }
  }

  #open(): number {
    return this.#connections.reduce(
      (count, { connection: { state } }) => (state === 'open' ? count + 1 : count),
      0,
    );
  }

  async #connect(): Promise<void> {
    this.link.trying();
    try {
      const socket = await this.#dial();
      const connection = connectHttp2(socket, { runtime: this.#runtime, limits: this.#limits });
      await greeted(connection);
      if (this.#closed !== undefined) connection.destroy();
      else if (connection.state !== 'open') throw connection.refusal ?? lostAtOnce(this.#address);
      else this.#add(connection);
    } catch (thrown) {
      this.#failed(HeddleError.from(thrown));
    } finally {
      this.#connecting = undefined;
      this.#serveWaiting();
    }
  }

  #add(connection: Http2ClientConnection): void {
    const term = this.#term(connection);
    this.#connections.push(term);
    this.#sweep.add(term);
    connection.onStateChange = this.#serveWaiting;
    this.link.reached();
    void connection.closed.then(() => {
      this.#connections.splice(this.#connections.indexOf(term), 1);
      this.#sweep.delete(term);
      if (connection.tooManyPings) this.#calmDown();
      if (this.#connections.length === 0) this.link.emptied();
      this.#serveWaiting();
    });
  }

  #term(connection: Http2ClientConnection): Term {
    const { idleMs, ageMs, requestsPerConnection } = this.#limits;
    const spread = 0.9 + 0.2 * this.#runtime.random.float();
    const madeMs = this.#runtime.clock.nowMs();
    let idleSinceMs = madeMs;
    const term: Term = {
      connection,
      requestsLeft: Math.ceil(requestsPerConnection * spread),
      used: true,
      sweep: (nowMs) => {
        if (connection.state !== 'open') return;
        if (term.used || connection.active > 0) idleSinceMs = nowMs;
        term.used = false;
        if (nowMs - idleSinceMs >= idleMs) void connection.close();
        // Only once there is another: a pool in use is never without a connection.
        else if (nowMs - madeMs >= ageMs * spread) void this.connect().then(() => connection.close());
      },
    };
    return term;
  }

  /** The next connections send half as many PINGs (gRFC A8). */
  #calmDown(): void {
    const { keepaliveMs, keepaliveIdleMs } = this.#limits;
    this.#limits = { ...this.#limits, keepaliveMs: 2 * keepaliveMs, keepaliveIdleMs: 2 * keepaliveIdleMs };
  }

  #failed(error: HeddleError): void {
    this.link.failed(error, this.#connections.length > 0);
    if (this.link.state === 'failing') this.#waiting.refuseAll(error);
  }

  /** Lets as many go on as there are streams; one, if a connection can be made for it. */
  readonly #serveWaiting = (): void => {
    if (this.#waiting.size === 0) return;
    const streams = this.#connections.reduce((count, { connection }) => count + connection.available, 0);
    const mayConnect = this.#connecting === undefined && this.#open() < this.#limits.connections;
    this.#waiting.release(streams > 0 ? streams : mayConnect ? 1 : 0);
  };

  #close(error: HeddleError): void {
    this.#closed ??= error;
    this.link.close();
    this.#waiting.refuseAll(this.#closed);
    for (const { connection } of this.#connections) void connection.close();
  }
}

/**
 * Resolves when the server's SETTINGS have come, or the connection is gone. Before that it is not known how many
 * streams it takes, nor that it speaks HTTP/2 at all.
 */
function greeted(connection: Http2ClientConnection): Promise<void> {
  return new Promise((resolve) => {
    connection.onStateChange = resolve;
    void connection.closed.then(resolve);
  });
}

function lostAtOnce({ host, port }: Address): HeddleError {
  const message = `the HTTP/2 connection to ${host}:${port} was lost as soon as it was made; is HTTP/2 spoken there?`;
  return new HeddleError({ code: 'unavailable', reason: 'CONNECTION_LOST', message, sent: false });
}
