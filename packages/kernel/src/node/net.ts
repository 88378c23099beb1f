import { connect, createServer, type Server, type Socket } from 'node:net';
import { HeddleError } from '../error.ts';
import { checkPort } from '../port-range.ts';
import type { Address, Connection, ConnectionHandler, ConnectOptions, Listener, Net } from '../ports/net.ts';
import { plainBytes } from './plain-bytes.ts';
import { readSpace, takeRead } from './read-space.ts';

/** TCP by `node:net`, without delay for small writes, and with half-open connections allowed. */
export const nodeNet: Net = {
  connect: (address, options) => connectSocket(address, options),
  listen: (address, accept) => listenOn(address, accept),
};

class SocketConnection implements Connection {
  readonly local: Address;
  readonly remote: Address;
  readonly #socket: Socket;
  #handler: ConnectionHandler | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.local = { host: socket.localAddress ?? '', port: socket.localPort ?? 0 };
    this.remote = { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    // Until the owner listens: an unheard `error` event would end the process.
    socket.on('error', ignore);
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  open(handler: ConnectionHandler): void {
    const socket = this.#socket;
    let failure: Error | undefined;
    this.#handler = handler;
    socket.on('data', (chunk: Buffer) => handler.data(plainBytes(chunk)));
    socket.on('end', () => handler.end());
    socket.on('drain', () => handler.drain());
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => handler.close(failure));
    socket.resume();
  }

  /** So many bytes have come into `readSpace`: for a socket that reads there. */
  received(count: number): void {
    this.#handler?.data(takeRead(count));
  }

  write(chunk: Uint8Array): boolean {
    return this.#socket.writable ? this.#socket.write(chunk) : false;
  }

  writeAll(chunks: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (!socket.writable) return false;
    socket.cork();
    let more = true;
    for (const chunk of chunks) more = socket.write(chunk);
    socket.uncork();
    return more;
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}

function ignore(): void {}

function connectSocket(address: Address, options: ConnectOptions = {}): Promise<Connection> {
  const { timeoutMs = 5000 } = options;
  return new Promise((resolve, reject) => {
    checkPort(address, 1);
    let connection: SocketConnection | undefined;
    const onread = {
      buffer: readSpace,
      callback: (count: number): boolean => {
        connection?.received(count);
        return true;
      },
    };
    const { host, port } = address;
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true, onread });
    const fail = (reason: string, message: string, cause?: Error): void => {
      clearTimeout(limit);
      socket.destroy();
      const text = `connecting to ${address.host}:${address.port}: ${message}`;
      reject(new HeddleError({ code: 'unavailable', reason, message: text, sent: false, cause }));
    };
    const limit = setTimeout(() => fail('CONNECT_TIMEOUT', `no answer within ${timeoutMs} ms`), timeoutMs);
    const onError = (error: NodeJS.ErrnoException): void => {
      const refused = error.code === 'ECONNREFUSED';
      fail(refused ? 'CONNECTION_REFUSED' : 'CONNECT_FAILED', error.message, error);
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(limit);
      socket.off('error', onError);
      socket.pause();
      connection = new SocketConnection(socket);
      resolve(connection);
    });
  });
}

const listenReasons: Record<string, string> = {
  EADDRINUSE: 'ADDRESS_IN_USE',
  EADDRNOTAVAIL: 'ADDRESS_NOT_AVAILABLE',
  ENOTFOUND: 'ADDRESS_NOT_AVAILABLE',
  EACCES: 'ADDRESS_DENIED',
};

function listenOn(address: Address, accept: (connection: Connection) => void): Promise<Listener> {
  return new Promise((resolve, reject) => {
    checkPort(address, 0);
    const options = { noDelay: true, allowHalfOpen: true, pauseOnConnect: true };
    const server = createServer(options, (socket) => accept(new SocketConnection(socket)));
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = listenReasons[error.code ?? ''] ?? 'LISTEN_FAILED';
      const message = `listening on ${address.host}:${address.port}: ${error.message}`;
      reject(new HeddleError({ code: 'failed_precondition', reason, message, sent: false, cause: error }));
    });
    server.listen({ host: address.host, port: address.port, backlog: 1024 }, () => {
      server.removeAllListeners('error');
      // Running out of descriptors while accepting is passing trouble: the peer is refused, the server goes on.
      server.on('error', ignore);
      resolve(listenerOf(server, address.host));
    });
  });
}

function listenerOf(server: Server, host: string): Listener {
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
        closing = Promise.resolve();
      }
      return closing;
    },
  };
}
