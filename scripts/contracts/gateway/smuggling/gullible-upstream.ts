// The most gullible server there is: node:http with its lenient parser. What it takes for a request, some real one does.
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

/** What it has understood of one request. */
export interface Understood {
  /** `METHOD path`, and the content if any. */
  readonly line: string;
  /** Names in lower case, as they came, repeated ones each. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** One on a free port. */
export interface GullibleUpstream {
  readonly port: number;
  readonly seen: Understood[];
  readonly stop: () => Promise<void>;
}

/** Starts it. It answers everything by `ok`. */
export async function startGullibleUpstream(): Promise<GullibleUpstream> {
  const seen: Understood[] = [];
  const server = createServer({ insecureHTTPParser: true, requireHostHeader: false }, (request, response) => {
    const fields: [string, string][] = [];
    const { rawHeaders: raw } = request;
    for (let at = 0; at < raw.length; at += 2)
      fields.push([(raw[at] ?? '').toLowerCase(), raw[at + 1] ?? '']);
    let content = '';
    request.setEncoding('latin1').on('data', (chunk: string) => {
      content += chunk;
    });
    request.on('end', () => {
      seen.push({ line: `${request.method} ${request.url}${content === '' ? '' : ` ${content}`}`, fields });
      response.end('ok');
    });
  });
  // What even it cannot read would be a request that the gateway has made up; but for one that breaks off, which is
  // none, and a method that this server has not heard of.
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!['HPE_INVALID_EOF_STATE', 'HPE_INVALID_METHOD', 'ECONNRESET'].includes(error.code ?? ''))
      seen.push({ line: `unreadable: ${error.code ?? ''}`, fields: [] });
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}
