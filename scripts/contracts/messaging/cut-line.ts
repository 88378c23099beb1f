// A line between a client and its server that can be cut, as the death of the client's process cuts it.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { Place } from '../../engines/engine.ts';

/** A place that leads to the server until it is cut. */
export interface CutLine {
  readonly address: Place;
  /** Ends all connections, and takes no more. May be called twice. */
  cut(): Promise<void>;
}

/** Opens a line to `server`. */
export async function cutLine(server: Place): Promise<CutLine> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket.setNoDelay(true));
    socket.on('error', () => {});
    return socket.on('close', () => sockets.delete(socket));
  };
  const listener = createServer((client) => {
    const there = keep(connect(server.port, server.host));
    keep(client).pipe(there).pipe(client);
    client.on('close', () => there.destroy());
    there.on('close', () => client.destroy());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as { port: number };
  let closed = false;
  return {
    address: { host: '127.0.0.1', port },
    cut: async () => {
      if (closed) return;
      closed = true;
      listener.close();
      for (const socket of sockets) socket.resetAndDestroy();
      await once(listener, 'close');
    },
  };
}
