// No proxy at all: bytes from one socket to the other with `node:net`, nothing read and no limit kept. What a proxy on
// Node costs above this is its own; what this costs above others is Node's, and out of its reach.
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { announce } from './announce.ts';

const [host = '', port = ''] = (process.argv[2] ?? '').split(':');

function pour(from: Socket, to: Socket): void {
  from.on('data', (chunk) => to.write(chunk));
  from.on('error', () => {});
  from.on('close', () => to.destroy());
}

const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ host, port: Number(port), noDelay: true });
  pour(client, upstream);
  pour(upstream, client);
});
server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port));
