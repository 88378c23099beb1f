import { Socket, type SocketConstructorOpts } from 'node:net';
import { readSpace } from './read-space.ts';
import { SocketConnection } from './socket-connection.ts';

/** What `node:net` has beyond its documentation, as far as it is used here. See adr/0016. */
interface Undocumented {
  /** The socket of libuv. */
  _handle?: object | null;
}

/**
 * A socket that was just accepted, and is paused, as a connection that reads into `readSpace`. Node offers that
 * (`onread`) only to who connects, so the socket's handle is put into a socket of our own. Where Node does not go
 * along with that, the socket is taken as it is, and all that is lost is a tenth of the speed.
 */
export function acceptedConnection(accepted: Socket): SocketConnection {
  const { _handle: handle } = accepted as Undocumented;
  if (handle === undefined || handle === null) return new SocketConnection(accepted);
  const onread = {
    buffer: readSpace,
    callback: (count: number): boolean => {
      // Nothing is read before the connection is opened.
      connection.received(count);
      return true;
    },
  };
  const options = { handle, allowHalfOpen: true, pauseOnCreate: true, onread };
  const own = new Socket(options as SocketConstructorOpts);
  if ((own as Undocumented)._handle !== handle) return new SocketConnection(accepted);
  (accepted as Undocumented)._handle = null;
  const connection = new SocketConnection(own);
  return connection;
}
