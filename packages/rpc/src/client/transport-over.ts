import type { Transport } from '@connectrpc/connect';
import type { Ambient, Runtime } from '@heddle/kernel';
import type { Compression, HttpService } from '@heddle/wire';
import { connectTransport } from '../connect/transport.ts';
import { exchangeFor, type RpcProtocol } from './protocol/exchange-for.ts';

/** What `transportOver` is told. */
export interface TransportOverOptions {
  readonly runtime: Runtime;
  /** Host and port of the service, for `:authority`. */
  readonly authority: string;
  /** As in `TransportOptions`. */
  readonly timeoutMs?: number;
  readonly ambient?: Ambient;
  readonly maxMessageBytes?: number;
  readonly maxSentMessageBytes?: number;
  readonly compress?: Compression;
  /** Default `grpc`. */
  readonly protocol?: RpcProtocol;
}

/**
 * RPC over an HTTP client that finds the way, balances and repeats by itself, such as the rules of a mesh in this
 * process: `createClient(OrderService, transportOver(plane.http, { runtime, authority: 'order.shop:8080' }))`. Beside the
 * deadline nothing of `client-stack.ts` is around it, so that nothing is repeated twice.
 */
export function transportOver(http: HttpService, options: TransportOverOptions): Transport {
  const { runtime, authority, maxMessageBytes, compress, protocol = 'grpc', timeoutMs = 15_000 } = options;
  const service = exchangeFor(protocol, 'http2', http, {
    authority,
    ...(maxMessageBytes !== undefined && { maxMessageBytes }),
    ...(compress !== undefined && { compress }),
  });
  const { maxSentMessageBytes, ambient } = options;
  return connectTransport(service, { runtime, timeoutMs, maxSentMessageBytes, ambient });
}
