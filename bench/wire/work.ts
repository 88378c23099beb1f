// The measurements by name: who takes part, what is checked first, and what one turn is.
import type { Running } from '../../scripts/engines/engine.ts';
import { grpcCpp } from '../../scripts/engines/grpc-cpp.ts';
import { grpcGo } from '../../scripts/engines/grpc-go.ts';
import { haproxy, haproxyGrpcProxy, haproxyHttpProxy } from '../../scripts/engines/haproxy.ts';
import { nghttpx } from '../../scripts/engines/nghttp2.ts';
import { nginx, nginxGrpcProxy, nginxHttpProxy } from '../../scripts/engines/nginx.ts';
import type { Peer } from '../../scripts/engines/peer.ts';
import { type Contender, echoClient, echoServer, engine, subject } from './contender.ts';
import { type Done, loadGrpc, loadHttp } from './load.ts';
import { streamRequest, unaryMessage } from './payload.ts';
import { verifyHttp, verifyStream, verifyUnary } from './verify.ts';

/** What the subjects of a measurement have behind them. */
export type Upstream = 'none' | 'grpc' | 'http1';

/** A measurement of CPU time per call. */
export interface Work {
  readonly name: string;
  /** What is counted, in the singular. */
  readonly each: string;
  readonly upstream: Upstream;
  readonly contenders: readonly Contender[];
  /** Rejects when the subject does not do what is about to be measured. */
  verify(running: Running): Promise<void>;
  turn(running: Running, durationMs: number): Promise<Done>;
}

/** Who takes part under another name: of these the best counts. */
export const bestOf: { readonly name: string; readonly of: RegExp } = {
  name: 'best-node',
  of: /^best-node\//,
};

const grpcServers: readonly Contender[] = [
  subject('heddle', 'heddle-grpc-server.ts'),
  subject('heddle-rpc', 'heddle-rpc-server.ts'),
  subject('grpc-js', 'grpc-js-server.ts'),
  echoServer(grpcGo),
  echoServer(grpcCpp),
  subject('connect-node', 'connect-node-server.ts'),
  subject('node-http2', 'node-http2-server.ts'),
];

const grpcClients: readonly Contender[] = [
  subject('heddle', 'heddle-grpc-client.ts'),
  subject('grpc-js', 'grpc-js-client.ts'),
  echoClient(grpcGo),
  echoClient(grpcCpp),
  subject('connect-node', 'connect-node-client.ts'),
  subject('node-http2', 'node-http2-client.ts'),
];

const grpcProxies: readonly Contender[] = [
  subject('heddle', 'heddle-grpc-proxy.ts'),
  engine(haproxy, (upstream) => ({ sections: haproxyGrpcProxy(upstream) })),
  engine(nginx, (upstream) => ({ http: nginxGrpcProxy(upstream) })),
  engine(nghttpx, (upstream) => ({ upstream, protocol: 'h2' as const })),
];

const httpProxies: readonly Contender[] = [
  subject('heddle', 'heddle-http1-proxy.ts'),
  engine(nginx, (upstream) => ({ http: nginxHttpProxy(upstream) })),
  engine(haproxy, (upstream) => ({ sections: haproxyHttpProxy(upstream) })),
  subject('node-splice', 'node-splice.ts'),
  subject('best-node/@fastify/http-proxy', 'proxy-fastify.ts'),
  subject('best-node/http-proxy-3', 'proxy-http-proxy-3.ts'),
  subject('best-node/httpxy', 'proxy-httpxy.ts'),
  subject('best-node/fast-gateway', 'proxy-fast-gateway.ts'),
];

/** Those with connections that do nothing; see idle.ts. */
export const idleServers: readonly Contender[] = [
  subject('heddle', 'heddle-grpc-server.ts'),
  subject('node-http2', 'node-http2-server.ts'),
  subject('grpc-js', 'grpc-js-server.ts'),
  echoServer(grpcGo),
  echoServer(grpcCpp),
];

const messagesPerStream = 100;

/** All measurements of CPU time, in the order of the documentation. */
export const works: readonly Work[] = [
  unaryWork('unary-server-c1m100', 'none', grpcServers, 1, 100),
  unaryWork('unary-server-c50m1', 'none', grpcServers, 50, 1),
  {
    name: 'unary-client-c1m100',
    each: 'call',
    upstream: 'grpc',
    contenders: grpcClients,
    verify: (running) => clientTurn(running, 10).then(() => {}),
    turn: clientTurn,
  },
  {
    name: 'stream-1k',
    each: 'message',
    upstream: 'none',
    contenders: grpcServers,
    verify: (running) => verifyStream(running.address),
    turn: async (running, durationMs) => {
      const message = streamRequest(messagesPerStream, 1024);
      const load = { method: 'ServerStream', message, connections: 1, inFlight: 10 };
      const { calls, elapsedMs } = await loadGrpc(running.address, load, durationMs);
      return { calls: calls * messagesPerStream, elapsedMs };
    },
  },
  unaryWork('grpc-proxy-c1m100', 'grpc', grpcProxies, 1, 100),
  unaryWork('grpc-proxy-c50m1', 'grpc', grpcProxies, 50, 1),
  httpWork('http1-proxy-200', 200),
  httpWork('http1-proxy-16k', 16_384),
];

function unaryWork(
  name: string,
  upstream: Upstream,
  contenders: readonly Contender[],
  connections: number,
  inFlight: number,
): Work {
  const load = { method: 'Unary', message: unaryMessage, connections, inFlight };
  return {
    name,
    each: 'call',
    upstream,
    contenders,
    verify: (running) => verifyUnary(running.address),
    turn: (running, durationMs) => loadGrpc(running.address, load, durationMs),
  };
}

function httpWork(name: string, size: number): Work {
  return {
    name,
    each: 'request',
    upstream: 'http1',
    contenders: httpProxies,
    verify: (running) => verifyHttp(running.address, `/${size}`, size),
    turn: (running, durationMs) => loadHttp(running.address, `/${size}`, durationMs),
  };
}

async function clientTurn(running: Running, durationMs: number): Promise<Done> {
  const before = performance.now();
  const said = await (running as Peer).ask(`run ${durationMs}`);
  const calls = Number(/^calls (\d+)$/.exec(said)?.[1]);
  if (!(calls > 0)) throw new Error(`a client says “${said}”`);
  return { calls, elapsedMs: performance.now() - before };
}
