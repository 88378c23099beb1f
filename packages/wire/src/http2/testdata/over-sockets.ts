import { type Address, Call, type Listener, type Runtime, settle } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { wholeBody } from '../../message/body.ts';
import { Fields } from '../../message/fields.ts';
import type { HttpRequest, HttpResponse, HttpService } from '../../message/http.ts';
import { connectHttp2, type Http2ClientConnection } from '../client-connection.ts';
import type { Http2Limits } from '../limits.ts';
import { type Http2ServerConnection, serveHttp2 } from '../server-connection.ts';

/** The real machine, quiet. */
export const runtime: Runtime = nodeRuntime({ name: 'http2-test', logLevel: 'error' });

/** Sends back what it gets: gRPC's way with trailers, else plainly; `/pour` as it comes. */
export const echo: HttpService = async ({ path, body, fields }) => {
  if (path === '/pour') return { status: 200, fields: new Fields(), body };
  const bytes = await body.bytes(100_000_000);
  const type = fields.get('content-type') ?? 'application/octet-stream';
  const trailers = type.startsWith('application/grpc') ? Fields.of({ 'grpc-status': '0' }) : undefined;
  return { status: 200, fields: Fields.of({ 'content-type': type }), body: wholeBody(bytes, trailers) };
};

/** A server on a free port. */
export interface Served {
  readonly address: Address;
  readonly url: string;
  readonly connections: readonly Http2ServerConnection[];
  stop(): Promise<void>;
}

/** Serves HTTP/2 with prior knowledge on a free port of the loopback. */
export async function served(
  service: HttpService = echo,
  limits: Partial<Http2Limits> = {},
): Promise<Served> {
  const connections: Http2ServerConnection[] = [];
  const listener: Listener = await runtime.net.listen({ host: '127.0.0.1', port: 0 }, (connection) => {
    connections.push(serveHttp2(connection, service, { runtime, limits }));
  });
  const { address } = listener;
  return {
    address,
    url: `http://${address.host}:${address.port}`,
    connections,
    stop: async () => {
      for (const connection of connections) connection.destroy();
      await listener.close();
    },
  };
}

/** A client of whatever listens there. */
export async function connected(
  address: Address,
  limits: Partial<Http2Limits> = {},
): Promise<Http2ClientConnection> {
  return connectHttp2(await runtime.net.connect(address), { runtime, limits });
}

/** Asks, and throws if there is no answer. */
export async function ask(client: Http2ClientConnection, request: HttpRequest): Promise<HttpResponse> {
  const result = await settle(client.request, request, Call.root(runtime));
  if (!result.ok) throw result.error;
  return result.value;
}
