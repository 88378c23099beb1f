import { HeddleError } from '@heddle/kernel';
import type { HttpService } from '@heddle/wire';
import { type ExchangeOptions, grpcExchange } from '../grpc-exchange.ts';
import type { RpcService } from '../rpc-call.ts';
import { connectUnaryExchange } from './connect-unary-exchange.ts';
import { inBodyExchange } from './in-body-exchange.ts';
import { connectStreams, grpcWeb } from './in-body-protocol.ts';

/** What a client of RPC may speak. */
export type RpcProtocol = 'grpc' | 'grpc-web' | 'connect';

/** What it may speak it over. */
export type HttpVersion = 'http1' | 'http2';

const protocols: readonly string[] = ['grpc', 'grpc-web', 'connect'] satisfies RpcProtocol[];
const versions: readonly string[] = ['http1', 'http2'] satisfies HttpVersion[];

/** Throws `invalid_argument` / `BAD_OPTIONS` for a protocol or a version that is none, or that do not go together. */
export function checkProtocol(protocol: RpcProtocol, http: HttpVersion): void {
  const wrong: string[] = [];
  if (!protocols.includes(protocol))
    wrong.push(`protocol: expected ${protocols.join(', ')}, found ${JSON.stringify(protocol)}`);
  if (!versions.includes(http))
    wrong.push(`http: expected ${versions.join(', ')}, found ${JSON.stringify(http)}`);
  if (protocol === 'grpc' && http === 'http1')
    wrong.push('http: gRPC needs http2, found http1; connect and grpc-web do with http1');
  if (wrong.length === 0) return;
  const message = wrong.join('; ');
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_OPTIONS', message, sent: false });
}

/** The protocol over an HTTP client, one attempt at a time. */
export function exchangeFor(
  protocol: RpcProtocol,
  http: HttpVersion,
  service: HttpService,
  options: ExchangeOptions,
): RpcService {
  if (protocol === 'grpc') return grpcExchange(service, options);
  if (protocol === 'grpc-web') return overVersion(http, inBodyExchange(service, options, grpcWeb));
  const unary = connectUnaryExchange(service, options);
  const streams = overVersion(http, inBodyExchange(service, options, connectStreams));
  return (req, call) => (req.method.methodKind === 'unary' ? unary : streams)(req, call);
}

/** HTTP/1.1 answers when it has been asked in full: two that speak in turn would wait for each other. */
function overVersion(http: HttpVersion, next: RpcService): RpcService {
  if (http === 'http2') return next;
  return (req, call) => {
    if (req.method.methodKind !== 'bidi_streaming') return next(req, call);
    const message = 'a method that streams both ways needs HTTP/2';
    throw new HeddleError({ code: 'unimplemented', reason: 'NEEDS_HTTP2', message, sent: false });
  };
}
