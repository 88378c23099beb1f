import { nodeRuntime } from '@heddle/kernel/node';
import { type Body, Fields, type HttpService, streamBody, wholeBody } from '@heddle/wire';
import { serveHttp2 } from '../../../packages/wire/src/http2/index.ts';
import { framed, parseStreamRequest, streamMessage } from '../payload.ts';
import { announce } from './announce.ts';

const messageLimit = 4 * 1024 * 1024;
const fields = Fields.of({ 'content-type': 'application/grpc' });
const success = Fields.of({ 'grpc-status': '0' });

const service: HttpService = async ({ path, body }) => {
  const message = await body.bytes(messageLimit);
  return {
    status: 200,
    fields,
    body: path === '/bench.Echo/Unary' ? wholeBody(message, success) : streamOf(message),
  };
};

function streamOf(request: Uint8Array): Body {
  const { count, size } = parseStreamRequest(request.subarray(5));
  const message = framed(streamMessage(size));
  const messages = async function* (): AsyncGenerator<Uint8Array> {
    for (let i = 0; i < count; i++) yield message;
  };
  return streamBody(messages(), { trailers: () => success });
}

const runtime = nodeRuntime({ name: 'bench' });
const listener = await runtime.net.listen({ host: '127.0.0.1', port: 0 }, (connection) => {
  serveHttp2(connection, service, { runtime });
});
announce(listener.address.port);
