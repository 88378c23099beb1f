// One question and the beginning of its answer, over TCP: how a server says that it is ready.
import { connect } from 'node:net';
import type { Place } from './engine.ts';

/** What the server says first after `question` (may be empty), or nothing if it does not within a second. Never rejects. */
export function exchange({ host, port }: Place, question: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => {
      if (question !== '') socket.write(question);
    });
    const done = (answer: string): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', (bytes) => done(bytes.toString('latin1')));
    socket.once('close', () => done(''));
    socket.once('error', () => done(''));
    socket.setTimeout(1000, () => done(''));
  });
}
