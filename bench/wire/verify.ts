// Before anything is measured, one call that is looked at closely: the generators of load see no more than a status.
import { once } from 'node:events';
import { connect } from 'node:http2';
import type { Place } from '../../scripts/engines/engine.ts';
import { framed, streamRequest, unaryMessage, unframed } from './payload.ts';

/** Expects that the server, or whatever is behind the proxy, answers a unary call by the same message. */
export async function verifyUnary(address: Place): Promise<void> {
  const [answer, ...more] = await call(address, 'Unary', unaryMessage);
  if (answer === undefined || more.length > 0 || !unaryMessage.equals(answer))
    throw new Error('Unary: expected the message itself as the only answer');
}

/** Expects three messages of 1024 bytes. */
export async function verifyStream(address: Place): Promise<void> {
  const answers = await call(address, 'ServerStream', streamRequest(3, 1024));
  const sizes = answers.map((answer) => answer.length).join(', ');
  if (sizes !== '1024, 1024, 1024')
    throw new Error(`ServerStream: expected three of 1024 bytes, found ${sizes}`);
}

async function call(address: Place, method: string, message: Buffer): Promise<Uint8Array[]> {
  const session = connect(`http://${address.host}:${address.port}`);
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/bench.Echo/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let head: Record<string, unknown> = {};
    let trailers: Record<string, unknown> = {};
    const chunks: Buffer[] = [];
    stream.on('response', (fields) => (head = fields));
    stream.on('trailers', (fields) => (trailers = fields));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.end(framed(message));
    // A session that cannot connect reports its error on the stream too.
    session.on('error', () => {});
    await once(stream, 'close', { signal: AbortSignal.timeout(10_000) });
    const status = `${String(head[':status'])}, grpc-status ${String(trailers['grpc-status'] ?? head['grpc-status'])}`;
    if (status !== '200, grpc-status 0')
      throw new Error(`${method}: expected 200, grpc-status 0, found ${status}`);
    return unframed(Buffer.concat(chunks));
  } finally {
    session.destroy();
  }
}

/** Expects that many bytes through the proxy. */
export async function verifyHttp(address: Place, path: string, size: number): Promise<void> {
  const answer = await fetch(`http://${address.host}:${address.port}${path}`, {
    headers: { connection: 'close' },
  });
  const { byteLength } = await answer.arrayBuffer();
  if (answer.status !== 200 || byteLength !== size)
    throw new Error(
      `GET ${path}: expected 200 with ${size} bytes, found ${answer.status} with ${byteLength}`,
    );
}
