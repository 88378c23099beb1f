import { connect } from 'node:http2';
import { framed, unaryMessage } from '../payload.ts';
import { announce, callsInFlight } from './announce.ts';

const [target = ''] = process.argv.slice(2);
const session = connect(`http://${target}`);
const head = {
  ':method': 'POST',
  ':path': '/bench.Echo/Unary',
  'content-type': 'application/grpc',
  te: 'trailers',
};
const body = framed(unaryMessage);

function call(): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request(head);
    let received = 0;
    let status: unknown;
    stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    stream.on('trailers', (trailers) => {
      status = trailers['grpc-status'];
    });
    stream.on('error', reject);
    stream.on('close', () => {
      if (status === '0' && received === body.length) resolve();
      else reject(new Error(`status ${String(status)} and ${received} bytes`));
    });
    stream.end(body);
  });
}

session.once('connect', () => announce(0, callsInFlight(call)));
