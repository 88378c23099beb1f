// `node relay.mjs <port>`: what the conformance runner starts; see `server-broker.ts`. Plain JavaScript, without imports
// of ours, so that it is there at once. Ends when either side does.
import { connect } from 'node:net';
import process from 'node:process';

const socket = connect({ host: '127.0.0.1', port: Number(process.argv[2]), allowHalfOpen: true });
process.stdin.pipe(socket, { end: false });
socket.pipe(process.stdout);
for (const event of ['end', 'close', 'error']) socket.on(event, () => process.exit());
