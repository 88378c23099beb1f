// The wire engine alone: three connections taken in turn, one request and its answer, nothing around it.
import { Call, perform } from '@heddle/kernel';
import { nodeRuntime } from '@heddle/kernel/node';
import { endpoint, Fields, type HttpRequest, wholeBody } from '@heddle/wire';
import { framed, unaryMessage, unframed } from '../../wire/payload.ts';
import { announce, callsAtOnce } from '../../wire/subjects/announce.ts';

const runtime = nodeRuntime({ name: 'bench' });
const fields = Fields.of({ 'content-type': 'application/grpc', te: 'trailers' });
const ways = process.argv.slice(2).map((authority) => {
  const [host = '', port = ''] = authority.split(':');
  const way = endpoint({ runtime, address: { host, port: Number(port) }, protocol: 'http2' });
  return { authority, request: way.request };
});
let next = 0;

async function call(): Promise<void> {
  const { authority, request } = ways[next++ % ways.length] as (typeof ways)[number];
  const req: HttpRequest = {
    method: 'POST',
    scheme: 'http',
    authority,
    path: '/bench.Echo/Unary',
    fields,
    body: wholeBody(framed(unaryMessage)),
  };
  const { body } = await perform(request, req, Call.root(runtime));
  const [answer] = unframed(await body.bytes(1000));
  const status = body.trailers?.get('grpc-status');
  if (answer?.byteLength !== unaryMessage.length || status !== '0') throw new Error(`not an echo: ${status}`);
}

announce(0, callsAtOnce(call));
