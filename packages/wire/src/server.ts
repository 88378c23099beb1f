import type { Address, Connection, Listener, Runtime } from '@heddle/kernel';
import { Http1Server } from './http1/server.ts';
import { type Http1ServerLimits, http1ServerLimits } from './http1/server-limits.ts';
import type { HttpService } from './message/http.ts';

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

/** Serves HTTP on one port. Rejects as `Net.listen` does. */
export async function serve(service: HttpService, options: ServeOptions): Promise<HttpServer> {
  const { runtime, address } = options;
  const limits: ServerLimits = { ...serverLimits, ...options.limits };
  const http1 = new Http1Server(service, runtime, limits);
  const accept = (connection: Connection): void => {
    if (http1.size < limits.connections) http1.accept(connection);
    else connection.destroy();
  };
  const listener: Listener = await runtime.net.listen(address, accept);
  return {
    address: listener.address,
    get connections() {
      return http1.size;
    },
    drain: async () => {
      await listener.close();
      await http1.drain();
    },
    stop: async () => {
      await listener.close();
      http1.destroy();
    },
  };
}
