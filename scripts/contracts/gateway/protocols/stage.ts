// A gateway in clear text and with TLS, before a gRPC server, a plain one and a WebSocket one; and a page of another site.
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { nodeRuntime } from '@heddle/kernel/node';
import { TestAuthority } from '@heddle/kernel/testing';
import { Gateway, readGatewayConfig } from '@heddle/proxy';
import { MetricRegistry } from '@heddle/telemetry';
import { type HttpServer, serve } from '@heddle/wire';
import { root } from '../../../files.ts';
import { startWebSocketOrigin } from '../../wire/counterparts/web-socket-origin.ts';
import { descriptorFile, startShelfServer } from './shelf-server.ts';

const runtime = nodeRuntime({ name: 'protocols', logLevel: 'error' });
const local = { host: '127.0.0.1', port: 0 };

/** A text that is worth compressing. */
export const longText: string = 'warp and weft, '.repeat(2000);

/** How long a route may take: shorter than what streams do here. */
export const timeoutMs = 1500;

/** All of it. Servers stop in the order in which requests go. */
export class Stage {
  readonly #stops: (() => Promise<void> | void)[] = [];
  readonly #drips = new Set<ServerResponse>();
  #plain: HttpServer | undefined;
  #secure: HttpServer | undefined;
  #page: Server | undefined;
  /** What the plain upstream was asked, as `METHOD path`. */
  readonly asked: string[] = [];

  static async start(): Promise<Stage> {
    const stage = new Stage();
    try {
      await stage.#start();
      return stage;
    } catch (thrown) {
      await stage.stop();
      throw thrown;
    }
  }

  /** In clear text. */
  get url(): string {
    return `http://127.0.0.1:${this.#plain?.address.port}`;
  }

  /** With TLS, and so with HTTP/2 for browsers. */
  get secureUrl(): string {
    return `https://localhost:${this.#secure?.address.port}`;
  }

  /** Another site: a page that may ask the gateway where CORS allows it. */
  get pageUrl(): string {
    return `http://localhost:${(this.#page?.address() as AddressInfo | undefined)?.port}`;
  }

  /** One more piece for every stream that drips. */
  drip(text: string): number {
    for (const each of this.#drips) each.write(text);
    return this.#drips.size;
  }

  async stop(): Promise<void> {
    for (const each of this.#drips) each.end();
    for (const stop of this.#stops.toReversed()) await stop();
  }

  async #start(): Promise<void> {
    const shelf = await startShelfServer();
    this.#stops.push(shelf.stop);
    const sockets = await startWebSocketOrigin();
    this.#stops.push(sockets.stop);
    const upstream = await listening(createServer((request, response) => this.#answer(request, response)));
    this.#stops.push(() => closed(upstream));
    this.#page = await listening(createServer(page));
    const other = this.#page;
    this.#stops.push(() => closed(other));

    const config = this.#config(shelf.port, portOf(upstream), sockets.address.port);
    const gateway = new Gateway({
      config: readGatewayConfig(JSON.stringify(config), 'protocols'),
      runtime,
      metrics: new MetricRegistry(),
      files: (name) => (name === 'shelf.binpb' ? readFileSync(descriptorFile) : undefined),
    });
    this.#stops.push(() => gateway.drain());
    this.#plain = await serve(gateway.service, { runtime, address: local });
    const plain = this.#plain;
    this.#stops.push(() => plain.stop());
    const identity = new TestAuthority('protocols', runtime.clock.wallMs()).issue({
      dnsNames: ['localhost'],
    });
    const tls = { source: { current: { identities: [identity] } } };
    this.#secure = await serve(gateway.service, { runtime, address: local, tls });
    const secure = this.#secure;
    this.#stops.push(() => secure.stop());
  }

  #config(shelf: number, plain: number, sockets: number): object {
    const upstream = `127.0.0.1:${plain}`;
    const grpc = `127.0.0.1:${shelf}`;
    const cors = {
      origins: [this.pageUrl],
      headers: ['content-type', 'x-grpc-web', 'x-user-agent', 'x-mine', 'x-who'],
    };
    const expose = ['grpc-status', 'grpc-message'];
    const denied = [{ effect: 'deny', methods: ['GET'] }];
    const keys = [{ id: 'none', sha256: '0'.repeat(64) }];
    return {
      auth: { apiKeys: { keys } },
      routes: [
        { path: '/', upstream, timeoutMs, compress: true },
        { path: '/quiet', upstream, timeoutMs },
        {
          path: '/shared',
          upstream,
          cors: { ...cors, methods: ['GET', 'PUT'], expose: ['x-told'], credentials: true },
        },
        { path: '/put-only', method: 'PUT', upstream, cors: { ...cors, methods: ['PUT'] } },
        { path: '/put-only/private', method: 'PUT', upstream },
        {
          path: '/v1',
          upstream: grpc,
          transcode: { descriptors: 'shelf.binpb', services: ['shelf.v1.Shelves'] },
        },
        {
          path: '/all/v1',
          rewrite: '/v1',
          upstream: grpc,
          transcode: { descriptors: 'shelf.binpb', alwaysAll: true },
        },
        { path: '/lost', upstream: grpc, transcode: { descriptors: 'lost.binpb' } },
        { grpc: { service: 'shelf.v1.Shelves' }, upstream: grpc, grpcWeb: true, cors: { ...cors, expose } },
        { path: '/chat', upstream: `127.0.0.1:${sockets}`, webSocket: true, timeoutMs },
        { path: '/chat/denied', upstream: `127.0.0.1:${sockets}`, webSocket: true, access: denied },
        { path: '/chat/known', upstream: `127.0.0.1:${sockets}`, webSocket: true, auth: { any: ['apiKey'] } },
        { path: '/no-chat', upstream: `127.0.0.1:${sockets}` },
      ],
    };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const target = request.url ?? '';
    this.asked.push(`${request.method} ${target}`);
    request.resume();
    response.setHeader('content-type', 'text/plain');
    const at = target.replace(/^\/(quiet|shared|put-only)/, '');
    if (at.startsWith('/drip') || at.startsWith('/events')) {
      if (at.startsWith('/events')) response.setHeader('content-type', 'text/event-stream');
      response.flushHeaders();
      this.#drips.add(response);
      response.on('close', () => this.#drips.delete(response));
      return;
    }
    if (at === '/already') response.setHeader('content-encoding', 'gzip').end(gzipSync(longText));
    else if (at === '/tagged') response.setHeader('etag', '"strong"').end(longText);
    else if (at === '/picture') response.setHeader('content-type', 'image/png').end(longText);
    else if (at === '/kept') response.setHeader('cache-control', 'no-transform').end(longText);
    else if (at === '/short') response.end('short');
    else if (at === '/told')
      response.setHeader('x-told', 'yes').setHeader('access-control-allow-origin', '*').end('told');
    else response.end(longText);
  }
}

/** The page of another site, with the official gRPC-Web client beside it. */
function page(request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '/grpc-web.js') {
    const file = path.join(root, 'node_modules', 'grpc-web', 'index.esm.js');
    response.setHeader('content-type', 'text/javascript').end(readFileSync(file));
    return;
  }
  response.setHeader('content-type', 'text/html').end('<!doctype html><p>loom');
}

async function listening(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
