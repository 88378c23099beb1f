// nice-grpc over grpc-js's round_robin.
import { createChannel, createClient } from 'nice-grpc';
import { unaryMessage } from '../../wire/payload.ts';
import { announce, callsAtOnce } from '../../wire/subjects/announce.ts';

const same = (message: Uint8Array): Buffer =>
  Buffer.from(message.buffer, message.byteOffset, message.byteLength);
const definition = {
  unary: {
    path: '/bench.Echo/Unary',
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
    options: {},
  },
} as const;
const channel = createChannel(`ipv4:${process.argv.slice(2).join(',')}`, undefined, {
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
});
const client = createClient(definition, channel);

async function call(): Promise<void> {
  const answer = await client.unary(unaryMessage);
  if (answer.length !== unaryMessage.length) throw new Error('not an echo');
}

announce(0, callsAtOnce(call));
