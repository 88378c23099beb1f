import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { framed, parseStreamRequest, streamMessage } from '../payload.ts';
import { announce } from './announce.ts';

const head = { ':status': 200, 'content-type': 'application/grpc' };
const server = createServer();

server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => {
    stream.respond(head, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    if (headers[':path'] === '/bench.Echo/Unary') stream.end(body);
    else void answerStream(stream, body.subarray(5));
  });
  stream.on('error', () => {});
});

async function answerStream(stream: ServerHttp2Stream, request: Buffer): Promise<void> {
  const { count, size } = parseStreamRequest(request);
  const message = framed(streamMessage(size));
  for (let i = 0; i < count; i++) if (!stream.write(message)) await once(stream, 'drain');
  stream.end();
}

server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port));
