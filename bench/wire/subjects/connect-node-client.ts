import { create, type DescMethodUnary } from '@bufbuild/protobuf';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { unaryMessage } from '../payload.ts';
import { announce, callsInFlight } from './announce.ts';
import { payload, unary } from './connect-echo.ts';

const [target = ''] = process.argv.slice(2);
const transport = createGrpcTransport({ baseUrl: `http://${target}` });
const message = create(payload, { body: unaryMessage.subarray(2) });

async function call(): Promise<void> {
  const answer = await transport.unary(unary as DescMethodUnary, undefined, undefined, undefined, message);
  const { body } = answer.message as unknown as { body: Uint8Array };
  if (body.byteLength !== unaryMessage.length - 2) throw new Error('not an echo');
}

announce(0, callsInFlight(call));
