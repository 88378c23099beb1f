import { type Call, type Connection, HeddleError } from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '../message/http.ts';
import { clientProtocol, type HttpProtocol, otherProtocol } from '../tls/application-protocol.ts';
import { type Destination, type Dial, dial } from './dial.ts';
import { closedPool } from './http1-pool.ts';
import { type EndpointState, Link, type StateListener } from './link.ts';
import type { Pool } from './pool.ts';

/** Makes the pool of a protocol; it takes its connections from `dial`. */
export type MakePool = (protocol: HttpProtocol, dial: Dial) => Pool;

/**
 * The connections to one address over TLS, in the protocol that the first handshake agrees on. When a later one agrees
 * on the other, as after an upgrade of the server, the pool is let go and the next request chooses anew.
 */
export class AutoPool implements Pool {
  readonly #destination: Destination;
  readonly #make: MakePool;
  readonly #link: Link;
  readonly #listeners = new Set<StateListener>();
  /** Pools of the other protocol, that finish what is on them. */
  readonly #retired = new Set<Pool>();
  #pool: Pool | undefined;
  #choosing: Promise<Pool> | undefined;
  #inFlight = 0;
  #closed: HeddleError | undefined;
  #whenEmpty: (() => void)[] = [];

  constructor(destination: Destination, make: MakePool) {
    this.#destination = destination;
    this.#make = make;
    this.#link = new Link(destination.runtime, () => void this.connect());
    this.#link.onState((state) => {
      if (this.#pool === undefined) this.#tell(state);
    });
  }

  get state(): EndpointState {
    return this.#pool?.state ?? this.#link.state;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  onState(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  request = (request: HttpRequest, call: Call): Promise<HttpResponse> => {
    this.#inFlight++;
    call.onEnd(this.#ended);
    return this.#pool === undefined ? this.#later(request, call) : this.#pool.request(request, call);
  };

  async connect(): Promise<void> {
    await this.#choose().catch(() => {
      // The link has been told, and tries again.
    });
  }

  drain(): Promise<void> {
    this.#close(closedPool('is draining'));
    void this.#pool?.drain();
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  close(): void {
    this.#close(closedPool('was closed'));
    this.#pool?.close();
    for (const pool of this.#retired) pool.close();
  }

  readonly #ended = (): void => {
    this.#inFlight--;
    if (this.#inFlight === 0) for (const resolve of this.#whenEmpty.splice(0)) resolve();
  };

  async #later(request: HttpRequest, call: Call): Promise<HttpResponse> {
    let pool: Pool;
    try {
      if (this.#closed !== undefined) throw this.#closed;
      // While it fails, the back-off decides when it is tried again, not the number of requests.
      if (this.#link.state === 'failing' && this.#link.lastError !== undefined) throw this.#link.lastError;
      pool = await this.#chosen(call);
    } catch (thrown) {
      request.body.cancel();
      throw thrown;
    }
    return pool.request(request, call);
  }

  #chosen(call: Call): Promise<Pool> {
    return new Promise((resolve, reject) => {
      call.onCancel((error) => reject(error.with({ sent: false })));
      this.#choose().then(resolve, reject);
    });
  }

  #choose(): Promise<Pool> {
    this.#choosing ??= this.#handshake().finally(() => {
      this.#choosing = undefined;
    });
    return this.#choosing;
  }

  async #handshake(): Promise<Pool> {
    this.#link.trying();
    try {
      const connection = await dial(this.#destination, 'auto');
      if (this.#closed === undefined) return this.#begin(connection);
      connection.destroy();
      throw this.#closed;
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      this.#link.failed(error, false);
      throw error;
    }
  }

  #begin(connection: Connection): Pool {
    const protocol = clientProtocol(connection.tls);
    let first: Connection | undefined = connection;
    const pool: Pool = this.#make(protocol, async () => {
      const next = first ?? (await dial(this.#destination, 'auto'));
      first = undefined;
      if (clientProtocol(next.tls) === protocol) return next;
      next.destroy();
      this.#retire(pool);
      const { host, port } = this.#destination.address;
      throw otherProtocol(protocol, next.tls, `${host}:${port}`);
    });
    this.#link.reached();
    this.#pool = pool;
    pool.onState((state) => {
      if (this.#pool === pool) this.#tell(state);
    });
    // In this turn: the connection must not be kept.
    void pool.connect();
    return pool;
  }

  #retire(pool: Pool): void {
    if (this.#pool !== pool) return;
    this.#pool = undefined;
    this.#retired.add(pool);
    void pool.drain().then(() => this.#retired.delete(pool));
    this.#link.emptied();
  }

  #tell(state: EndpointState): void {
    for (const listener of this.#listeners) listener(state);
  }

  #close(error: HeddleError): void {
    this.#closed ??= error;
    this.#link.close();
  }
}
