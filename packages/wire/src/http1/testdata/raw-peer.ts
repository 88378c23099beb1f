import { connect, createServer, type Server, type Socket } from 'node:net';

/** Sends bytes to a port and gathers what comes back until the server closes, or `enough` of it has come. */
export function exchangeRaw(
  port: number,
  bytes: string,
  enough = (_received: string): boolean => false,
): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () =>
      socket.write(bytes, 'latin1'),
    );
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (enough(received)) socket.destroy();
    });
    socket.on('end', () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
  });
}

/** A server made of a function that gets each socket. */
export interface RawServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on a free port of the loopback. */
export function listenRaw(accept: (socket: Socket) => void): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    accept(socket);
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      resolve({ port: bound !== null && typeof bound === 'object' ? bound.port : 0, close });
    });
  });
}
