import type { Transport } from '@connectrpc/connect';
import { hostPort, type Instance } from '@heddle/discovery';
import { type Ambient, classifyErrors } from '@heddle/kernel';
import {
  type Compression,
  type Endpoint,
  type EndpointOptions,
  type EndpointTls,
  endpoint,
} from '@heddle/wire';
import { connectTransport } from '../connect/transport.ts';
import { pushbackMs } from '../status/status-fields.ts';
import type { LayerLine, Upstream } from '@heddle/upstream';
import { type ClientOptions, openClient } from './open-client.ts';
import { checkProtocol, exchangeFor, type HttpVersion, type RpcProtocol } from './protocol/exchange-for.ts';
import {
  copiesOf,
  identityOf,
  operationOf,
  type RpcRequest,
  type RpcResponse,
  replayRpc,
} from './rpc-call.ts';

/** What `createTransport` is told. */
export interface TransportOptions extends ClientOptions<RpcRequest, RpcResponse> {
  /**
   * For unary calls that name no timeout of their own. Default 15000; 0: none. Never extends a parent's deadline.
   * Calls that stream have only the timeout that they name.
   */
  readonly timeoutMs?: number;
  /**
   * Calls that name no parent (`within`) are made within the current one (see `Ambient`). Default: they have none.
   */
  readonly ambient?: Ambient;
  /** Largest message that is taken. Default 4 MiB. */
  readonly maxMessageBytes?: number;
  /** Largest message that is sent, before compression. Default: whatever the server takes. */
  readonly maxSentMessageBytes?: number;
  /**
   * Compresses what is sent, e.g. `gzip` of `@heddle/wire/compression`. The server has to know it. Default: none.
   * Answers may come compressed in any case.
   */
  readonly compress?: Compression;
  /**
   * What is spoken. Default `grpc`. `connect` and `grpc-web` reach servers behind proxies that know no trailers; a Heddle
   * server speaks all three. All methods work with each, over HTTP/1.1 all but those that stream both ways.
   */
  readonly protocol?: RpcProtocol;
  /** What it is spoken over. Default `http2`, which is all that gRPC goes over. */
  readonly http?: HttpVersion;
  /** Speak TLS with every instance: each must prove to be its own address, or what this names. Default: plaintext. */
  readonly tls?: EndpointTls;
}

/** A transport for `createClient` (ours, or that of `@connectrpc/connect`), and its end. */
export interface RpcTransport extends Transport {
  /** Takes no new call; resolves when those in flight are done and the connections are closed. */
  drain(): Promise<void>;
  /** Drops everything. */
  close(): void;
  /** The layers around each call, the outermost first. */
  readonly layers: readonly LayerLine[];
}

/**
 * RPC to the instances of a target: `createClient(OrderService, createTransport({ runtime, target, registry }))`
 * is typed end to end. Deadline, retries and balancing are those of `client-stack.ts`. Which methods are retried is
 * their `idempotency_level`'s to say. Give calls that serve another call `within(call)`.
 */
export function createTransport(options: TransportOptions): RpcTransport {
  const { runtime, maxMessageBytes, maxSentMessageBytes, compress, tls, timeoutMs = 15_000 } = options;
  const optional = {
    ...(maxMessageBytes === undefined ? {} : { maxMessageBytes }),
    ...(compress === undefined ? {} : { compress }),
  };
  const { protocol = 'grpc', http = 'http2' } = options;
  checkProtocol(protocol, http);
  const connect = (instance: Instance): Upstream<RpcRequest, RpcResponse> => {
    const address = { host: instance.address, port: instance.port };
    const way = wayTo(http, { runtime, address, ...(tls === undefined ? {} : { tls }) });
    const service = exchangeFor(protocol, http, way.request, { authority: hostPort(instance), ...optional });
    return { endpoint: way, service };
  };
  const client = openClient(options, {
    connect,
    classify: classifyErrors,
    replay: replayRpc,
    operation: operationOf,
    identity: identityOf,
    copies: copiesOf,
    pushbackMs: (result) => (result.ok ? undefined : pushbackMs(result.error)),
  });
  const transport = connectTransport(client.service, {
    runtime,
    timeoutMs,
    maxSentMessageBytes,
    ambient: options.ambient,
  });
  const { layers } = client;
  return { ...transport, layers, drain: () => client.drain(), close: () => client.close() };
}

type Whereto = Pick<EndpointOptions, 'runtime' | 'address'> & { readonly tls?: EndpointTls };

function wayTo(http: HttpVersion, to: Whereto): Endpoint {
  return http === 'http1' ? endpoint({ ...to, protocol: 'http1' }) : endpoint({ ...to, protocol: 'http2' });
}
