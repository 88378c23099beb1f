import { Call, perform } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { endpoint, Fields, type HttpRequest, wholeBody } from '@heddle/wire';
import { framed, unaryMessage, unframed } from '../payload.ts';
import { announce, callsInFlight } from './announce.ts';

const [target = ''] = process.argv.slice(2);
const [host = '', port = ''] = target.split(':');
const runtime = nodeRuntime({ name: 'bench' });
const client = endpoint({ runtime, address: { host, port: Number(port) }, protocol: 'http2' });
const fields = Fields.of({ 'content-type': 'application/grpc', te: 'trailers' });

async function call(): Promise<void> {
  const request: HttpRequest = {
    method: 'POST',
    scheme: 'http',
    authority: target,
    path: '/bench.Echo/Unary',
    fields,
    body: wholeBody(framed(unaryMessage)),
  };
  const { body } = await perform(client.request, request, Call.root(runtime));
  const [answer] = unframed(await body.bytes(1000));
  const status = body.trailers?.get('grpc-status');
  if (answer?.byteLength !== unaryMessage.length || status !== '0') throw new Error(`not an echo: ${status}`);
}

announce(0, callsInFlight(call));
