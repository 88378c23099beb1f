// The backend of the HTTP/1.1 proxies: as little work as possible, so that the proxy is what is measured. It answers
// `GET /<size>` with that many bytes; requests have no body and come one after another, as a proxy sends them.
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { announce } from './announce.ts';

const answers = new Map<string, Buffer>();

function answerOf(path: string): Buffer {
  // One of the proxies adds an empty query.
  const size = Number(/^\/(\d+)\??$/.exec(path)?.[1]);
  if (Number.isNaN(size)) throw new Error(`expected GET /<size>, found ${path}`);
  const head = `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${size}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.alloc(size, 'x')]);
}

const server = createServer({ noDelay: true }, (socket) => {
  let waiting = '';
  socket.on('data', (chunk) => {
    waiting += chunk.toString('latin1');
    for (let end = waiting.indexOf('\r\n\r\n'); end >= 0; end = waiting.indexOf('\r\n\r\n')) {
      const path = waiting.slice(waiting.indexOf(' ') + 1, waiting.indexOf(' ', 4));
      waiting = waiting.slice(end + 4);
      let answer = answers.get(path);
      if (answer === undefined) answers.set(path, (answer = answerOf(path)));
      socket.write(answer);
    }
  });
  socket.on('error', () => {});
});
server.listen(0, '127.0.0.1', () => announce((server.address() as AddressInfo).port));
