import { Call, perform } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { Fields, type HttpRequest, wholeBody } from '@heddle/wire';
import { connectHttp2 } from '../../../packages/wire/src/http2/index.ts';
import { framed, unaryMessage } from '../payload.ts';
import { announce, callsInFlight } from './announce.ts';

const [target = ''] = process.argv.slice(2);
const [host = '', port = ''] = target.split(':');
const runtime = nodeRuntime({ name: 'bench' });
const client = connectHttp2(await runtime.net.connect({ host, port: Number(port) }), { runtime });
const message = framed(unaryMessage);
const request: HttpRequest = {
  method: 'POST',
  scheme: 'http',
  authority: target,
  path: '/bench.Echo/Unary',
  fields: Fields.of({ 'content-type': 'application/grpc', te: 'trailers' }),
  body: wholeBody(message),
};

async function call(): Promise<void> {
  const { body } = await perform(client.request, request, Call.root(runtime));
  const answer = await body.bytes(message.length);
  const status = body.trailers?.get('grpc-status');
  if (answer.byteLength !== message.length || status !== '0') throw new Error(`not an echo: ${status}`);
}

announce(0, callsInFlight(call));
