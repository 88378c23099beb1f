import type { Address, Connection, Runtime, TlsConnectOptions } from '@heddle/kernel';
import { alpnOf, clientProtocol, type HttpProtocol, otherProtocol } from '../tls/application-protocol.ts';

/** TLS of a client, as far as its user has a say: what is spoken inside is the pool's business. */
export type EndpointTls = Omit<TlsConnectOptions, 'alpn'>;

/** Where connections come from. They must be opened in the turn in which they come. Rejects as `Net.connect`. */
export type Dial = () => Promise<Connection>;

/** What is to be dialled. */
export interface Destination {
  readonly runtime: Runtime;
  readonly address: Address;
  readonly tls?: EndpointTls | undefined;
  readonly connectMs: number;
}

/** Connections for one protocol. Over TLS it must be agreed on, or they are refused: `unavailable` / `PROTOCOL_NOT_AGREED`. */
export function dialFor(protocol: HttpProtocol, destination: Destination): Dial {
  const { address, tls } = destination;
  return async () => {
    const connection = await dial(destination, protocol);
    if (tls === undefined || clientProtocol(connection.tls) === protocol) return connection;
    connection.destroy();
    throw otherProtocol(protocol, connection.tls, `${address.host}:${address.port}`);
  };
}

/** A connection, with these protocols offered where there is TLS to offer them in. */
export function dial(destination: Destination, protocols: 'auto' | HttpProtocol): Promise<Connection> {
  const { runtime, address, tls, connectMs } = destination;
  if (tls === undefined) return runtime.net.connect(address, { timeoutMs: connectMs });
  return runtime.net.connect(address, { timeoutMs: connectMs, tls: { ...tls, alpn: alpnOf(protocols) } });
}
