import type {
  Address,
  Connection,
  Listener,
  ListenOptions,
  Runtime,
  TlsByNameOptions,
  TlsListenOptions,
} from '@heddle/kernel';
import { Http1Server } from './http1/server.ts';
import { type Http1ServerLimits, http1ServerLimits } from './http1/server-limits.ts';
import {
  type AbuseCounters,
  addCounters,
  type Http2Limits,
  type Http2ServerConnection,
  noAbuse,
  serveHttp2,
} from './http2/index.ts';
import type { HttpService } from './message/http.ts';
import { refuseMisdirected } from './tls/misdirected.ts';
import { Sniffer, type SnifferOwner } from './sniffer.ts';
import { agreedProtocol, alpnOf, type HttpProtocol } from './tls/application-protocol.ts';

const defaultConnections = 20_000;

/** How much a server takes on. What is left out is as the protocol's own defaults say. */
export interface ServerLimits {
  /** Connections at a time; one more is closed at once. Default 20000. */
  readonly connections?: number;
  readonly http1?: Partial<Http1ServerLimits>;
  readonly http2?: Partial<Http2Limits>;
}

/** TLS of a server, as far as its user has a say: what is spoken inside is the server's business. */
export interface ServeTls extends Omit<TlsListenOptions, 'alpn' | 'refused'> {
  /**
   * What becomes of a request for an authority that the connection's certificate does not cover: a client has taken a
   * connection for more than it is good for, or hopes that the rules of another host hold. `refuse` answers 421, which
   * lets it try again on another connection (RFC 9110 section 15.5.20). Default `serve`: names inside a mesh are often
   * in no certificate.
   */
  readonly misdirected?: 'serve' | 'refuse';
}

/** TLS of several servers at one port, told apart by the name that a client asks for. */
export interface ServeTlsByName extends Omit<TlsByNameOptions, 'alpn' | 'refused'> {
  /** Gets the connections that `choose` passes. Must open each before it returns. */
  passed(connection: Connection): void;
}

/** What `serve` is told. */
export interface ServeOptions {
  readonly runtime: Runtime;
  /** Port 0 asks for any free one. */
  readonly address: Address;
  readonly limits?: ServerLimits;
  /** Speak TLS, and nothing else. Requests are then of `https`, and `peer` tells who the client is. */
  readonly tls?: ServeTls;
  /** The same, for servers of several names. Not together with `tls`. */
  readonly tlsByName?: ServeTlsByName;
}

/** A port that is being served. */
export interface HttpServer {
  /** With the port that was chosen. */
  readonly address: Address;
  /** Open connections. */
  readonly connections: number;
  /**
   * HTTP/1.1 requests and TLS handshakes refused since the start, by reason: a fixed set of words such as
   * `BAD_CONTENT_LENGTH` or `CERTIFICATE_EXPIRED`.
   */
  readonly refusals: ReadonlyMap<string, number>;
  /** What HTTP/2 clients did that they should not do so often, or so slowly, since the start; see `AbuseCounters`. */
  readonly abuse: Readonly<AbuseCounters>;
  /** Accepts no more, lets what is in flight finish, closes what is idle. Resolves when no connection is open. */
  drain(): Promise<void>;
  /** Accepts no more and drops all connections. Resolves when the port is free. */
  stop(): Promise<void>;
}

/**
 * Serves HTTP/1.1 and HTTP/2 on one port: what is agreed on in the TLS handshake (ALPN), and where that says nothing,
 * HTTP/2 to clients that begin with its preface.
 * Rejects as `Net.listen` does.
 */
export async function serve(service: HttpService, options: ServeOptions): Promise<HttpServer> {
  const { runtime, address, limits = {}, tls, tlsByName } = options;
  const misdirected = (): void => port.refused('MISDIRECTED');
  const served = tls?.misdirected === 'refuse' ? refuseMisdirected(misdirected)(service) : service;
  const port: Port = new Port(served, runtime, limits);
  const listener: Listener = await runtime.net.listen(
    address,
    (connection) => {
      if (connection.passed === undefined) port.accept(connection);
      else tlsByName?.passed(connection);
    },
    listenOptions(options, (why) => port.refused(why)),
  );
  return {
    address: listener.address,
    get connections() {
      return port.size;
    },
    refusals: port.refusals,
    get abuse() {
      return port.abuse;
    },
    drain: async () => {
      await listener.close();
      await port.drain();
    },
    stop: async () => {
      await listener.close();
      port.destroy();
    },
  };
}

function listenOptions({ tls, tlsByName }: ServeOptions, refused: (why: string) => void): ListenOptions {
  const alpn = alpnOf('auto');
  return {
    ...(tls !== undefined && { tls: { ...tls, alpn, refused } }),
    ...(tlsByName !== undefined && { tlsByName: { ...tlsByName, alpn, refused } }),
  };
}

/** All connections of one port, by what they speak. */
class Port implements SnifferOwner {
  readonly #service: HttpService;
  readonly #runtime: Runtime;
  readonly #limits: ServerLimits;
  readonly #http1: Http1Server;
  readonly #http2 = new Set<Http2ServerConnection>();
  readonly #unknown = new Set<Sniffer>();
  /** Of connections that are gone. */
  readonly #abuse = noAbuse();

  constructor(service: HttpService, runtime: Runtime, limits: ServerLimits) {
    this.#service = service;
    this.#runtime = runtime;
    this.#limits = limits;
    this.#http1 = new Http1Server(service, runtime, { ...http1ServerLimits, ...limits.http1 });
  }

  get refusals(): ReadonlyMap<string, number> {
    return this.#http1.refusals;
  }

  get abuse(): AbuseCounters {
    const sum = { ...this.#abuse };
    for (const { abuse } of this.#http2) addCounters(sum, abuse);
    return sum;
  }

  get size(): number {
    return this.#http1.size + this.#http2.size + this.#unknown.size;
  }

  accept(connection: Connection): void {
    if (this.size >= (this.#limits.connections ?? defaultConnections)) {
      connection.destroy();
      return;
    }
    const protocol = agreedProtocol(connection.tls);
    if (protocol !== undefined) {
      this.#serve(connection, protocol);
      return;
    }
    const { headMs } = this.#http1.limits;
    const sniffer = new Sniffer(connection, this, this.#runtime.clock.nowMs() + headMs);
    this.#unknown.add(sniffer);
    this.#http1.sweep.add(sniffer);
  }

  spoken(sniffer: Sniffer, connection: Connection, protocol: HttpProtocol): void {
    // Added before the other is taken away: a sweep without members stops its timer.
    this.#serve(connection, protocol);
    this.silent(sniffer);
  }

  refused(reason: string): void {
    this.#http1.refused(reason);
  }

  silent(sniffer: Sniffer): void {
    this.#unknown.delete(sniffer);
    this.#http1.sweep.delete(sniffer);
  }

  async drain(): Promise<void> {
    for (const sniffer of this.#unknown) sniffer.destroy();
    const drained = Array.from(this.#http2, (connection) => connection.drain().then(() => connection.closed));
    await Promise.all([this.#http1.drain(), ...drained]);
  }

  destroy(): void {
    for (const sniffer of this.#unknown) sniffer.destroy();
    for (const connection of this.#http2) connection.destroy();
    this.#http1.destroy();
  }

  #serve(connection: Connection, protocol: HttpProtocol): void {
    if (protocol === 'http1') this.#http1.accept(connection);
    else this.#serveHttp2(connection);
  }

  #serveHttp2(connection: Connection): void {
    const limits = this.#limits.http2 ?? {};
    const served = serveHttp2(connection, this.#service, { runtime: this.#runtime, limits });
    this.#http2.add(served);
    void served.closed.then(() => {
      this.#http2.delete(served);
      addCounters(this.#abuse, served.abuse);
    });
  }
}
