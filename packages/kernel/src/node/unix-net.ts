import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { HeddleError } from '../error.ts';
import type { Connection, Listener, Net } from '../ports/net.ts';
import { acceptedConnection } from './accepted-connection.ts';
import { ignore } from './socket-connection.ts';

/** Where a Unix socket is, and who may come. */
export interface UnixSocketOptions {
  readonly path: string;
  /** The permissions of its file. Default 0o660: its user and group. */
  readonly mode?: number;
}

/**
 * A network with one place: whatever address a server listens on, it is this socket. A socket that a process before has
 * left is taken over, one that somebody serves is not (`ADDRESS_IN_USE`). It cannot connect, and knows no TLS.
 */
export function unixSocketNet({ path, mode = 0o660 }: UnixSocketOptions): Net {
  return {
    connect: () => Promise.reject(unsupported('a Unix socket is only listened on here')),
    listen: async (address, accept, options = {}) => {
      if (options.tls !== undefined) throw unsupported('a Unix socket has no TLS here');
      await clear(path);
      return listenAt(path, mode, accept, address.host);
    },
  };
}

async function clear(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw failure('ADDRESS_IN_USE', path, 'there is a file that is no socket');
  if (await isServed(path)) throw failure('ADDRESS_IN_USE', path, 'another process serves it');
  unlinkSync(path);
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function listenAt(
  path: string,
  mode: number,
  accept: (connection: Connection) => void,
  host: string,
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
      accept(acceptedConnection(socket)),
    );
    server.once('error', (error) => reject(failure('LISTEN_FAILED', path, error.message)));
    // Nobody may come before the permissions are those that were asked for.
    const before = process.umask(0o777);
    server.listen(path, () => {
      server.removeAllListeners('error');
      server.on('error', ignore);
      chmodSync(path, mode);
      resolve({
        address: { host, port: 0 },
        close: () => {
          server.close();
          return Promise.resolve();
        },
      });
    });
    process.umask(before);
  });
}

function failure(reason: string, path: string, what: string): HeddleError {
  const message = `listening on ${path}: ${what}`;
  return new HeddleError({ code: 'failed_precondition', reason, message, sent: false });
}

function unsupported(message: string): HeddleError {
  return new HeddleError({ code: 'unimplemented', reason: 'UNSUPPORTED', message, sent: false });
}
