// A WebSocket server on node:http that sends back what it gets. Messages up to 64 KiB, in one frame each.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Place } from '../../../engines/engine.ts';

const handshake = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const closeFrame = 8;

/** One on a free port. */
export async function startWebSocketOrigin(): Promise<{
  readonly address: Place;
  readonly stop: () => void;
}> {
  const open = new Set<Duplex>();
  const server = createServer((_request, response) => response.writeHead(426).end());
  server.on('upgrade', (request, socket: Duplex) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {});
    const key = `${request.headers['sec-websocket-key'] ?? ''}${handshake}`;
    const accept = createHash('sha1').update(key).digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    echo(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port },
    stop: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

function echo(socket: Duplex): void {
  let held = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    for (let frame = frameIn(held); frame !== undefined; frame = frameIn(held)) {
      held = held.subarray(frame.end);
      socket.write(Buffer.concat([headOf(frame.first, frame.content.length), frame.content]));
      if ((frame.first & 15) === closeFrame) socket.end();
    }
  });
}

interface Frame {
  readonly first: number;
  readonly content: Buffer;
  readonly end: number;
}

/** The first frame of a client, unmasked; undefined until it is complete (RFC 6455 section 5.2). */
function frameIn(bytes: Buffer): Frame | undefined {
  if (bytes.length < 6) return undefined;
  const short = (bytes[1] as number) & 127;
  const start = short === 126 ? 8 : 6;
  if (bytes.length < start) return undefined;
  const length = short === 126 ? bytes.readUInt16BE(2) : short;
  const end = start + length;
  if (bytes.length < end) return undefined;
  const mask = bytes.subarray(start - 4, start);
  const content = Buffer.from(bytes.subarray(start, end).map((byte, at) => byte ^ (mask[at & 3] as number)));
  return { first: bytes[0] as number, content, end };
}

function headOf(first: number, length: number): Buffer {
  return length < 126 ? Buffer.of(first, length) : Buffer.of(first, 126, length >> 8, length & 255);
}
