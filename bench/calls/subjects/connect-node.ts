// connect-node, gRPC over HTTP/2. It has no balancing: three transports taken in turn.
import { create, type DescMethodUnary } from '@bufbuild/protobuf';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { unaryMessage } from '../../wire/payload.ts';
import { announce, callsAtOnce } from '../../wire/subjects/announce.ts';
import { payload, unary } from '../../wire/subjects/connect-echo.ts';

const transports = process.argv
  .slice(2)
  .map((target) => createGrpcTransport({ baseUrl: `http://${target}`, defaultTimeoutMs: 5000 }));
const message = create(payload, { body: unaryMessage.subarray(2) });
let next = 0;

async function call(): Promise<void> {
  const transport = transports[next++ % transports.length] as (typeof transports)[number];
  const answer = await transport.unary(unary as DescMethodUnary, undefined, undefined, undefined, message);
  const { body } = answer.message as unknown as { body: Uint8Array };
  if (body.byteLength !== unaryMessage.length - 2) throw new Error('not an echo');
}

announce(0, callsAtOnce(call));
