import { nodeRuntime } from '@heddle/kernel/node';
import { type Body, Fields, frameHead, type HttpService, serve, streamBody, wholeBody } from '@heddle/wire';
import { framed, parseStreamRequest, streamMessage, unframed } from '../payload.ts';
import { announce } from './announce.ts';

const messageLimit = 4 * 1024 * 1024;
const fields = Fields.of({ 'content-type': 'application/grpc' });
const success = Fields.of({ 'grpc-status': '0' });

const service: HttpService = async ({ path, body }) => {
  const [message] = unframed(await body.bytes(messageLimit));
  if (message === undefined) throw new Error('expected a message');
  const answer = path === '/bench.Echo/Unary' ? wholeBody(framed(message), success) : streamOf(message);
  return { status: 200, fields, body: answer };
};

function streamOf(request: Uint8Array): Body {
  const { count, size } = parseStreamRequest(request);
  const message = streamMessage(size);
  const messages = function* (): Generator<Uint8Array> {
    for (let i = 0; i < count; i++) {
      yield frameHead(size);
      yield message;
    }
  };
  return streamBody(messages(), { trailers: () => success });
}

const runtime = nodeRuntime({ name: 'bench' });
const server = await serve(service, { runtime, address: { host: '127.0.0.1', port: 0 } });
announce(server.address.port);
