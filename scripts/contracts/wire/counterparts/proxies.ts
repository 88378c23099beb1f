// nginx, HAProxy and nghttpx between our client and our server, and between others' clients and ours.
import { required } from '../../../engines/engine.ts';
import type { Place, Running } from '../../../engines/engine.ts';
import { haproxy, haproxyGrpcProxy, haproxyHttpProxy } from '../../../engines/haproxy.ts';
import { nghttpx } from '../../../engines/nghttp2.ts';
import { nginx, nginxGrpcProxy, nginxHttpProxy } from '../../../engines/nginx.ts';
import type { Engine } from '../../../engines/engine.ts';
import { answerTrailerChecks, type Checks, contentBothWays, httpChecks, trailerChecks } from './checks.ts';
import { nodeHttp1, nodeHttp2, ours, type Way } from './ways.ts';

/** A program between two ends. */
export interface Between {
  readonly name: string;
  readonly engine: Engine<never>;
  start(upstream: Place): Promise<Running>;
  /** What it speaks in front. Behind, its name says. */
  readonly front: 'http1' | 'http2';
  readonly checks: Checks;
}

const all = { ...httpChecks, ...trailerChecks };

/** Each of them is between every client below and our server. */
export const betweens: readonly Between[] = [
  {
    name: 'nginx, HTTP/1.1 both ways',
    engine: nginx,
    start: (upstream) => nginx.start({ http: nginxHttpProxy(upstream) }),
    front: 'http1',
    // It passes no trailers on.
    checks: httpChecks,
  },
  {
    name: 'nginx, grpc_pass',
    engine: nginx,
    start: (upstream) => nginx.start({ http: nginxGrpcProxy(upstream) }),
    front: 'http2',
    checks: { ...withoutHead(httpChecks), ...answerTrailerChecks },
  },
  {
    name: 'haproxy, HTTP/1.1 both ways',
    engine: haproxy,
    start: (upstream) => haproxy.start({ sections: haproxyHttpProxy(upstream) }),
    front: 'http1',
    checks: { ...httpChecks, ...trailerChecks },
  },
  {
    name: 'haproxy, HTTP/2 both ways',
    engine: haproxy,
    start: (upstream) => haproxy.start({ sections: haproxyGrpcProxy(upstream) }),
    front: 'http2',
    // HAProxy 2.6 loses the end of larger uploads, with node:http2 at both of its ends too.
    checks: { ...all, 'content both ways': (way) => contentBothWays(way, 30_000) },
  },
  {
    name: 'nghttpx, HTTP/1.1 behind',
    engine: nghttpx,
    start: (upstream) => nghttpx.start({ upstream, protocol: 'http/1.1' }),
    front: 'http2',
    checks: httpChecks,
  },
  {
    name: 'nghttpx, HTTP/2 behind',
    engine: nghttpx,
    start: (upstream) => nghttpx.start({ upstream, protocol: 'h2' }),
    front: 'http2',
    checks: all,
  },
];

/** Clients by what they speak. */
export const clients: Readonly<Record<'http1' | 'http2', Readonly<Record<string, (place: Place) => Way>>>> = {
  http1: { 'our client': (place) => ours(place, 'http1'), 'node:http': nodeHttp1 },
  http2: { 'our client': (place) => ours(place, 'http2'), 'node:http2': nodeHttp2 },
};

/** The version of a program that is there. */
export async function versionOf({ engine }: Between): Promise<string> {
  return (await required(engine)).version;
}

function withoutHead(checks: Checks): Checks {
  // grpc_pass forwards HEAD and 304 as gRPC has none of: not its business.
  return Object.fromEntries(Object.entries(checks).filter(([name]) => !name.startsWith('HEAD')));
}
