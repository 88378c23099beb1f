import { Client, credentials } from '@grpc/grpc-js';
import { unaryMessage } from '../payload.ts';
import { announce, callsInFlight } from './announce.ts';

const [target = ''] = process.argv.slice(2);
const client = new Client(target, credentials.createInsecure());
const same = (message: Buffer): Buffer => message;

function call(): Promise<void> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest('/bench.Echo/Unary', same, same, unaryMessage, (error, answer) => {
      if (error !== null) reject(error);
      else if (answer?.length !== unaryMessage.length) reject(new Error('not an echo'));
      else resolve();
    });
  });
}

announce(0, callsInFlight(call));
