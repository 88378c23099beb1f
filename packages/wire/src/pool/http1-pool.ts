import { type Call, HeddleError, type Runtime } from '@heddle/kernel';
import { ClientConnection, type ClientConnectionOwner } from '../http1/client-connection.ts';
import { type Http1ClientLimits, http1ClientLimits } from '../http1/client-limits.ts';
import type { HttpRequest, HttpResponse } from '../message/http.ts';
import { Sweep } from '../sweep.ts';
import type { Dial } from './dial.ts';
import { type EndpointState, Link, type StateListener } from './link.ts';
import type { Pool } from './pool.ts';
import { WaitingLine } from './waiting-line.ts';

/** How many connections a pool keeps, and how long. Times in milliseconds. */
export interface Http1PoolLimits extends Http1ClientLimits {
  /** Connections at a time. Default 100. */
  readonly connections: number;
  /** Requests that wait for a free connection; one more is refused. Default 1024. */
  readonly waiting: number;
  /** A connection unused for so long is closed. Default 30000. */
  readonly idleMs: number;
  /** No request begins on a connection older than this, give or take a tenth. Default 600000. */
  readonly ageMs: number;
  /** Requests on one connection, give or take a tenth. Default 10000. */
  readonly requestsPerConnection: number;
  /** Time to connect. Default 5000. */
  readonly connectMs: number;
}

/** The defaults. */
export const http1PoolLimits: Http1PoolLimits = {
  ...http1ClientLimits,
  connections: 100,
  waiting: 1024,
  idleMs: 30_000,
  ageMs: 600_000,
  requestsPerConnection: 10_000,
  connectMs: 5000,
};

/** What the pool knows of a connection beside what that knows itself. */
interface Term {
  idleSinceMs: number;
  readonly untilMs: number;
  readonly requests: number;
}

/**
 * The HTTP/1.1 connections to one address. The one that was used last is used next, so that those not needed grow
 * old and are closed. A request waits, in order, only when all connections are busy.
 */
export class Http1Pool implements ClientConnectionOwner, Pool {
  readonly link: Link;
  readonly #runtime: Runtime;
  readonly #limits: Http1PoolLimits;
  readonly #dial: Dial;
  readonly #sweep: Sweep;
  readonly #sweepMs: number;
  #sweptMs = 0;
  readonly #terms = new Map<ClientConnection, Term>();
  readonly #idle: ClientConnection[] = [];
  readonly #waiting: WaitingLine;
  #connecting = 0;
  #inFlight = 0;
  #closed: HeddleError | undefined;
  #whenEmpty: (() => void)[] = [];

  constructor(runtime: Runtime, limits: Http1PoolLimits, dial: Dial) {
    this.#runtime = runtime;
    this.#dial = dial;
    this.#limits = limits;
    this.#waiting = new WaitingLine(limits.waiting);
    this.#sweepMs = Math.max(10, Math.min(1000, limits.idleMs / 4, limits.writeIdleMs / 4));
    this.#sweep = new Sweep(runtime, this.#sweepMs);
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
    const idle = this.#waiting.size === 0 ? this.#takeIdle() : undefined;
    return idle === undefined ? this.#later(request, call) : idle.exchange(request, call);
  };

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
    for (const connection of this.#terms.keys()) connection.destroy(error.with({ sent: true }));
  }

  free(connection: ClientConnection, nowMs: number): void {
    const term = this.#terms.get(connection);
    if (this.#closed !== undefined || term === undefined || this.#isSpent(connection, term, nowMs)) {
      connection.destroy();
      return;
    }
    term.idleSinceMs = nowMs;
    this.#idle.push(connection);
    this.#serveWaiting();
  }

  gone(connection: ClientConnection): void {
    this.#terms.delete(connection);
    this.#sweep.delete(connection);
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    if (this.#terms.size === 0) {
      this.#sweep.delete(this.#idleSweep);
      this.link.emptied();
    }
    this.#serveWaiting();
  }

  readonly #ended = (): void => {
    this.#inFlight--;
    if (this.#inFlight === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
  };

  async #later(request: HttpRequest, call: Call): Promise<HttpResponse> {
    try {
      const connection = await this.#obtain(call);
      return await connection.exchange(request, call);
    } catch (thrown) {
      request.body.cancel();
      throw thrown;
    }
  }

  #takeIdle(): ClientConnection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      const term = this.#terms.get(connection);
      if (connection.usable && term !== undefined && !this.#isSpentNow(connection, term)) return connection;
      connection.destroy();
    }
    return undefined;
  }

  /** A connection of its own for this call: a new one, or after others one that comes free. */
  async #obtain(call: Call): Promise<ClientConnection> {
    for (;;) {
      if (this.#closed !== undefined) throw this.#closed;
      call.throwIfCancelled();
      const idle = this.#takeIdle();
      if (idle !== undefined) return idle;
      if (this.#terms.size + this.#connecting < this.#limits.connections) return this.#connect();
      await this.#waiting.join(call);
    }
  }

  async #connect(): Promise<ClientConnection> {
    this.#connecting++;
    this.link.trying();
    try {
      const socket = await this.#dial();
      if (this.#closed !== undefined) {
        socket.destroy();
        throw this.#closed;
      }
      const connection = new ClientConnection(this.#runtime, socket, this.#limits, this);
      this.#terms.set(connection, this.#term());
      this.#sweep.add(connection);
      this.#sweep.add(this.#idleSweep);
      this.link.reached();
      return connection;
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      this.link.failed(error, this.#terms.size > 0);
      throw error;
    } finally {
      this.#connecting--;
      this.#serveWaiting();
    }
  }

  async connect(): Promise<void> {
    try {
      this.free(await this.#connect(), this.#runtime.clock.nowMs());
    } catch {
      // The link has been told, and tries again.
    }
  }

  #term(): Term {
    const { clock, random } = this.#runtime;
    const spread = 0.9 + 0.2 * random.float();
    const nowMs = clock.nowMs();
    const { ageMs, requestsPerConnection } = this.#limits;
    return {
      idleSinceMs: nowMs,
      untilMs: nowMs + ageMs * spread,
      requests: Math.ceil(requestsPerConnection * spread),
    };
  }

  #isSpent(connection: ClientConnection, term: Term, nowMs: number): boolean {
    return nowMs >= term.untilMs || connection.exchanges >= term.requests;
  }

  /** Looks at the clock only when the end is near: until shortly ago it was known not to have come. */
  #isSpentNow(connection: ClientConnection, term: Term): boolean {
    const knownMs = Math.max(term.idleSinceMs, this.#sweptMs);
    const nowMs = knownMs + 2 * this.#sweepMs < term.untilMs ? knownMs : this.#runtime.clock.nowMs();
    return this.#isSpent(connection, term, nowMs);
  }

  /** Lets the first go on for whom there is a connection, or room for one. */
  #serveWaiting(): void {
    if (this.#waiting.size === 0) return;
    const room = this.#limits.connections - this.#terms.size - this.#connecting;
    if (this.#idle.length > 0 || room > 0) this.#waiting.release(1);
  }

  readonly #idleSweep = {
    sweep: (nowMs: number): void => {
      this.#sweptMs = nowMs;
      for (const connection of this.#idle.slice()) {
        const term = this.#terms.get(connection);
        const stale = term === undefined || nowMs - term.idleSinceMs >= this.#limits.idleMs;
        if (stale || this.#isSpent(connection, term, nowMs)) connection.destroy();
      }
    },
  };

  #close(error: HeddleError): void {
    this.#closed ??= error;
    this.link.close();
    this.#waiting.refuseAll(this.#closed);
    for (const connection of this.#idle.slice()) connection.destroy();
  }
}

/** Why a pool takes no more requests. */
export function closedPool(how: string): HeddleError {
  const message = `the connection pool ${how}; it takes no more requests`;
  return new HeddleError({ code: 'unavailable', reason: 'ENDPOINT_CLOSED', message, sent: false });
}
