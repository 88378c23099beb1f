import { connect, createServer, type Server } from 'node:net';
import { HeddleError } from '../error.ts';
import { checkPort } from '../port-range.ts';
import type { Address, Connection, ConnectOptions, Listener, ListenOptions, Net } from '../ports/net.ts';
import type { TlsByNameOptions, TlsListenOptions } from '../ports/tls.ts';
import { acceptedConnection } from './accepted-connection.ts';
import { readSpace } from './read-space.ts';
import { ignore, SocketConnection } from './socket-connection.ts';
import { checkDial, secure } from './tls-client.ts';
import { TlsAcceptor } from './tls-server.ts';

/** TCP by `node:net` and TLS by `node:tls`, without delay for small writes, and with half-open connections allowed. */
export const nodeNet: Net = {
  connect: (address, options) => connectSocket(address, options),
  listen: (address, accept, options) => listenOn(address, accept, options),
};

function connectSocket(address: Address, options: ConnectOptions = {}): Promise<Connection> {
  const { timeoutMs = 5000, tls } = options;
  return new Promise((resolve, reject) => {
    checkPort(address, 1);
    const dial = tls === undefined ? undefined : checkDial(address, tls);
    let connection: SocketConnection | undefined;
    const onread = {
      buffer: readSpace,
      callback: (count: number): boolean => {
        connection?.received(count);
        return true;
      },
    };
    const { host, port } = address;
    // What TLS reads is not what it hands on: only a plain socket reads into the shared space.
    const reading = dial === undefined ? { onread } : {};
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true, ...reading });
    let cancel = (): void => {};
    const settle = (result: Connection | HeddleError): void => {
      clearTimeout(limit);
      if (!(result instanceof HeddleError)) {
        resolve(result);
        return;
      }
      cancel();
      socket.destroy();
      reject(result);
    };
    const late = `no answer within ${timeoutMs} ms`;
    const limit = setTimeout(() => settle(failure(address, 'CONNECT_TIMEOUT', late)), timeoutMs);
    socket.on('error', ignore);
    const onError = (error: NodeJS.ErrnoException): void => {
      const refused = error.code === 'ECONNREFUSED';
      settle(failure(address, refused ? 'CONNECTION_REFUSED' : 'CONNECT_FAILED', error.message, error));
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      socket.off('error', onError);
      if (dial !== undefined) {
        cancel = secure(socket, dial, settle);
        return;
      }
      socket.pause();
      connection = new SocketConnection(socket);
      settle(connection);
    });
  });
}

function failure(address: Address, reason: string, what: string, cause?: Error): HeddleError {
  const message = `connecting to ${address.host}:${address.port}: ${what}`;
  return new HeddleError({ code: 'unavailable', reason, message, sent: false, cause });
}

const listenReasons: Record<string, string> = {
  EADDRINUSE: 'ADDRESS_IN_USE',
  EADDRNOTAVAIL: 'ADDRESS_NOT_AVAILABLE',
  ENOTFOUND: 'ADDRESS_NOT_AVAILABLE',
  EACCES: 'ADDRESS_DENIED',
};

function listenOn(
  address: Address,
  accept: (connection: Connection) => void,
  { tls, tlsByName }: ListenOptions = {},
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    checkPort(address, 0);
    const handshakes = acceptorOf(accept, tls, tlsByName);
    // A handshake reads at once; its socket is handed over before anything else can come.
    const options = { noDelay: true, allowHalfOpen: true, pauseOnConnect: handshakes === undefined };
    const server = createServer(options, (socket) => {
      if (handshakes === undefined) accept(acceptedConnection(socket));
      else handshakes.take(socket);
    });
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = listenReasons[error.code ?? ''] ?? 'LISTEN_FAILED';
      const message = `listening on ${address.host}:${address.port}: ${error.message}`;
      reject(new HeddleError({ code: 'failed_precondition', reason, message, sent: false, cause: error }));
    });
    server.listen({ host: address.host, port: address.port, backlog: 1024 }, () => {
      server.removeAllListeners('error');
      // Running out of descriptors while accepting is passing trouble: the peer is refused, the server goes on.
      server.on('error', ignore);
      resolve(listenerOf(server, address.host, () => handshakes?.close()));
    });
  });
}

function acceptorOf(
  accept: (connection: Connection) => void,
  tls: TlsListenOptions | undefined,
  byName: TlsByNameOptions | undefined,
): TlsAcceptor | undefined {
  if (byName !== undefined) return new TlsAcceptor(byName, accept);
  return tls === undefined ? undefined : new TlsAcceptor(tls, accept);
}

function listenerOf(server: Server, host: string, drop: () => void): Listener {
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
  const closed = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  let closing: Promise<void> | undefined;
  return {
    address: { host, port },
    close: () => {
      // Node resolves `close` when the last connection ends; the port is free at once, which is what is promised.
      if (closing === undefined) {
        void closed();
        drop();
        closing = Promise.resolve();
      }
      return closing;
    },
  };
}
