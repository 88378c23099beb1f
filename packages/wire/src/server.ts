import type { Address, Connection, Listener, Runtime } from '@heddle/kernel';
import { Http1Server } from './http1/server.ts';
import { type Http1ServerLimits, http1ServerLimits } from './http1/server-limits.ts';
import { type Http2ServerConnection, serveHttp2 } from './http2/server-connection.ts';
import type { HttpService } from './message/http.ts';
import { sniffHttp2 } from './sniff.ts';

/** How much a server takes on. */
export interface ServerLimits extends Http1ServerLimits {
  /** Connections at a time; one more is closed at once. Default 20000. */
  readonly connections: number;
}

/** The defaults. */
export const serverLimits: ServerLimits = { ...http1ServerLimits, connections: 20_000 };

/** What `serve` is told. */
export interface ServeOptions {
  readonly runtime: Runtime;
  /** Port 0 asks for any free one. */
  readonly address: Address;
  readonly limits?: Partial<ServerLimits>;
}

/** A port that is being served. */
export interface HttpServer {
  /** With the port that was chosen. */
  readonly address: Address;
  /** Open connections. */
  readonly connections: number;
  /** Accepts no more, lets what is in flight finish, closes what is idle. Resolves when no connection is open. */
  drain(): Promise<void>;
  /** Accepts no more and drops all connections. Resolves when the port is free. */
  stop(): Promise<void>;
}

/** Serves HTTP on one port, HTTP/1.1 and HTTP/2 with prior knowledge. Rejects as `Net.listen` does. */
export async function serve(service: HttpService, options: ServeOptions): Promise<HttpServer> {
  const { runtime, address } = options;
  const limits: ServerLimits = { ...serverLimits, ...options.limits };
  const http1 = new Http1Server(service, runtime, limits);
  const http2 = new Set<Http2ServerConnection>();
  const undecided = new Set<Connection>();
  const size = (): number => http1.size + http2.size + undecided.size;
  let draining = false;

  const serveAsHttp2 = (connection: Connection): void => {
    const served = serveHttp2(connection, service, { runtime });
    http2.add(served);
    void served.closed.then(() => http2.delete(served));
    if (draining) void served.drain();
  };
  const accept = (connection: Connection): void => {
    if (size() >= limits.connections) return connection.destroy();
    undecided.add(connection);
    const timer = runtime.timers.after(limits.headMs, () => connection.destroy());
    sniffHttp2(connection, {
      decided(sniffed, isHttp2) {
        timer.cancel();
        undecided.delete(connection);
        if (isHttp2) serveAsHttp2(sniffed);
        else http1.accept(sniffed);
      },
      closed() {
        timer.cancel();
        undecided.delete(connection);
      },
    });
  };
  const listener: Listener = await runtime.net.listen(address, accept);
  return {
    address: listener.address,
    get connections() {
      return size();
    },
    drain: async () => {
      draining = true;
      await listener.close();
      for (const connection of undecided) connection.destroy();
      await Promise.all([
        http1.drain(),
        ...[...http2].map((connection) => connection.drain().then(() => connection.closed)),
      ]);
    },
    stop: async () => {
      await listener.close();
      for (const connection of undecided) connection.destroy();
      http1.destroy();
      for (const connection of http2) connection.destroy();
    },
  };
}
