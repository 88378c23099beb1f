// The smallest real use of a proxy or of a client: one answer of an HTTP server.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Place, Running } from './engine.ts';

/** Runs `use` beside an HTTP server that answers everything with `hello`. */
export async function withHttpServer(use: (address: Place) => Promise<void>): Promise<void> {
  const server = createServer((_, response) => response.end('hello'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await use({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Starts the proxy in front of such a server and gets the answer through it. */
export async function verifyProxy(start: (upstream: Place) => Promise<Running>): Promise<void> {
  await withHttpServer(async (upstream) => {
    const proxy = await start(upstream);
    try {
      const { host, port } = proxy.address;
      const answer = await fetch(`http://${host}:${port}/`, { headers: { connection: 'close' } });
      const text = await answer.text();
      if (text !== 'hello')
        throw new Error(`the answer through the proxy is ${answer.status} ${text.slice(0, 100)}`);
    } finally {
      await proxy.stop();
    }
  });
}
