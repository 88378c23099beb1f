// Opens connections that finish the handshake of HTTP/2 and then do nothing: `open <count>`.
import { connect, type Socket } from 'node:net';
import { announce } from './announce.ts';

const [host = '', port = ''] = (process.argv[2] ?? '').split(':');
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const acknowledged = Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0]);
const hello = Buffer.concat([preface, settings]);
const sockets: Socket[] = [];

/** Resolves when both sides have acknowledged the settings of the other. */
function open(): Promise<void> {
  const socket = connect(Number(port), host);
  sockets.push(socket);
  socket.write(hello);
  let received = Buffer.alloc(0);
  return new Promise((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      if (received.length === 0) socket.write(acknowledged);
      received = Buffer.concat([received, chunk]);
      if (received.includes(acknowledged)) resolve();
    });
    socket.on('close', () => {
      throw new Error('the server has closed an idle connection');
    });
  });
}

announce(0, {
  open: async (count) => {
    for (let left = Number(count); left > 0; left -= 100)
      await Promise.all(Array.from({ length: Math.min(100, left) }, open));
    return `open ${sockets.length}`;
  },
});
