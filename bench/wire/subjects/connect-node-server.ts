import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import {
  create,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type Message,
} from '@bufbuild/protobuf';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { announce } from './announce.ts';
import { payload, serverStream, unary } from './connect-echo.ts';

const answer = connectNodeAdapter({
  routes: (router) => {
    router.rpc(unary as DescMethodUnary, (request: Message) => request);
    router.rpc(serverStream as DescMethodServerStreaming, stream);
  },
});

async function* stream(request: Message): AsyncGenerator<Message> {
  const { count, size } = request as unknown as { count: number; size: number };
  const message = create(payload, { body: new Uint8Array(size - 3) });
  for (let i = 0; i < count; i++) yield message;
}

const server = createServer(answer);
server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port));
