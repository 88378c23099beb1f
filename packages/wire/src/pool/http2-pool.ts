import { type Address, type Call, HeddleError, type Runtime } from '@heddle/kernel';
import { connectHttp2, type Http2ClientConnection } from '../http2/client-connection.ts';
import type { HttpRequest, HttpResponse } from '../message/http.ts';
import { Link } from './link.ts';

/** How many connections a pool keeps. */
export interface Http2PoolLimits {
  /** Connections at a time; another is made only when all streams of the others are in use. Default 8. */
  readonly connections: number;
  /** Requests that wait for a free stream; one more is refused. Default 1024. */
  readonly waiting: number;
  /** Time to connect. Default 5000. */
  readonly connectMs: number;
}

/** The defaults. */
export const http2PoolLimits: Http2PoolLimits = { connections: 8, waiting: 1024, connectMs: 5000 };

interface Waiting {
  /** Must open its stream at once, since the next to wait looks at what is left. */
  readonly proceed: (connection: Http2ClientConnection) => void;
  readonly refuse: (error: HeddleError) => void;
}

/** The HTTP/2 connections to one address: usually one. */
export class Http2Pool {
  readonly link: Link;
  readonly #runtime: Runtime;
  readonly #address: Address;
  readonly #limits: Http2PoolLimits;
  readonly #connections = new Set<Http2ClientConnection>();
  readonly #waiting = new Set<Waiting>();
  #connecting = false;
  #inFlight = 0;
  #closed: HeddleError | undefined;

  constructor(runtime: Runtime, address: Address, limits: Http2PoolLimits) {
    this.#runtime = runtime;
    this.#address = address;
    this.#limits = limits;
    this.link = new Link(runtime, () => void this.#connect());
  }

  /** Requests whose answer has not fully come. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** See `HttpService`. */
  request = async (request: HttpRequest, call: Call): Promise<HttpResponse> => {
    this.#inFlight++;
    call.onEnd(this.#ended);
    try {
      if (this.#closed !== undefined) throw this.#closed;
      const connection = this.#usable();
      if (connection !== undefined) return await connection.request(request, call);
      return await this.#wait(request, call);
    } catch (thrown) {
      request.body.cancel();
      throw thrown;
    }
  };

  /** Takes no new request; resolves when none is in flight and the connections are closed. */
  async drain(): Promise<void> {
    this.#close(gone('is draining'));
    await Promise.all([...this.#connections].map((connection) => connection.close()));
  }

  /** Drops everything. */
  close(): void {
    const error = gone('was closed');
    this.#close(error);
    for (const connection of this.#connections) connection.destroy(error.with({ sent: true }));
  }

  readonly #ended = (): void => {
    this.#inFlight--;
  };

  #usable(): Http2ClientConnection | undefined {
    for (const connection of this.#connections) if (connection.available > 0) return connection;
    return undefined;
  }

  #wait(request: HttpRequest, call: Call): Promise<HttpResponse> {
    if (this.#waiting.size >= this.#limits.waiting) {
      const { host, port } = this.#address;
      const message = `${this.#limits.waiting} requests wait for a stream to ${host}:${port} already`;
      throw new HeddleError({ code: 'resource_exhausted', reason: 'POOL_EXHAUSTED', message, sent: false });
    }
    return new Promise((resolve, reject) => {
      const stopListening = call.onCancel((error) => {
        this.#waiting.delete(waiting);
        reject(error.with({ sent: false }));
      });
      const waiting: Waiting = {
        proceed: (connection) => {
          stopListening();
          connection.request(request, call).then(resolve, reject);
        },
        refuse: (error) => {
          stopListening();
          reject(error);
        },
      };
      this.#waiting.add(waiting);
      this.#serveWaiting();
    });
  }

  /** Lets those go on for whom there is a stream, and makes a connection for the others. */
  #serveWaiting(): void {
    for (const waiting of this.#waiting) {
      const connection = this.#usable();
      if (connection === undefined) break;
      this.#waiting.delete(waiting);
      waiting.proceed(connection);
    }
    if (this.#waiting.size > 0 && this.#connections.size < this.#limits.connections) void this.#connect();
  }

  async #connect(): Promise<void> {
    if (this.#connecting) return;
    this.#connecting = true;
    this.link.trying();
    try {
      const timeoutMs = this.#limits.connectMs;
      this.#add(await this.#runtime.net.connect(this.#address, { timeoutMs }));
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      this.link.failed(error, this.#connections.size > 0);
      if (this.#connections.size === 0) this.#refuseAll(error);
    } finally {
      this.#connecting = false;
    }
    this.#serveWaiting();
  }

  #add(socket: Parameters<typeof connectHttp2>[0]): void {
    const connection = connectHttp2(socket, { runtime: this.#runtime });
    if (this.#closed !== undefined) {
      connection.destroy(this.#closed);
      return;
    }
    this.#connections.add(connection);
    connection.onStateChange = () => {
      if (connection.state !== 'open' && connection.state !== 'draining') this.#forget(connection);
      if (this.#waiting.size > 0) this.#serveWaiting();
    };
    this.link.reached();
  }

  #forget(connection: Http2ClientConnection): void {
    if (this.#connections.delete(connection) && this.#connections.size === 0) this.link.emptied();
  }

  #refuseAll(error: HeddleError): void {
    for (const waiting of this.#waiting) waiting.refuse(error);
    this.#waiting.clear();
  }

  #close(error: HeddleError): void {
    this.#closed ??= error;
    this.link.close();
    this.#refuseAll(this.#closed);
  }
}

function gone(how: string): HeddleError {
  const message = `the connection pool ${how}; it takes no more requests`;
  return new HeddleError({ code: 'unavailable', reason: 'ENDPOINT_CLOSED', message, sent: false });
}
