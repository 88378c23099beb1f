// grpc-js with its own round_robin; messages are not even decoded.
import { Client, credentials } from '@grpc/grpc-js';
import { unaryMessage } from '../../wire/payload.ts';
import { announce, callsAtOnce } from '../../wire/subjects/announce.ts';

const target = `ipv4:${process.argv.slice(2).join(',')}`;
const client = new Client(target, credentials.createInsecure(), {
  'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
});
const same = (message: Buffer): Buffer => message;

function call(): Promise<void> {
  return new Promise((resolve, reject) => {
    const deadline = performance.timeOrigin + performance.now() + 5000;
    client.makeUnaryRequest('/bench.Echo/Unary', same, same, unaryMessage, { deadline }, (error, answer) => {
      if (error !== null) reject(error);
      else if (answer?.length !== unaryMessage.length) reject(new Error('not an echo'));
      else resolve();
    });
  });
}

announce(0, callsAtOnce(call));
