import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** An HTTP server of a test on loopback. */
export interface Backend {
  readonly port: number;
  stop(): Promise<void>;
}

/** For tests: one that answers everything with its name. */
export async function startBackend(name: string): Promise<Backend> {
  const server = http.createServer((_, response) => response.end(name));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
