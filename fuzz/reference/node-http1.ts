// node:http (llhttp) as the other reader, in both roles, over a stream without a socket.
import http from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { plainAuthority } from '../hand.ts';
import { meantFields, type Meaning } from '../meaning.ts';

/** What it made of the bytes. */
export interface NodeReading {
  /** Messages that were read completely, in order. */
  readonly read: Meaning[];
  /** It has refused something, or the connection is over. */
  refused: boolean;
}

const readings = new WeakMap<object, NodeReading>();
const quietTurns = 8;
const mostTurns = 80;

const server = http.createServer({
  keepAliveTimeout: 0,
  requestTimeout: 0,
  headersTimeout: 0,
});
server.on('request', (request, response) => {
  const chunks: Buffer[] = [];
  request.on('error', () => {});
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method = '', url = '', headers, rawHeaders, rawTrailers } = request;
    const { authority, path } = target(method, url, headers.host ?? '');
    readings.get(request.socket)?.read.push({
      start: `${method} ${plainAuthority(authority)} ${path}`,
      fields: meantFields(rawHeaders),
      content: Buffer.concat(chunks).toString('latin1'),
      trailers: meantFields(rawTrailers),
    });
    response.end('ok');
  });
});
server.on('clientError', (_error, socket) => {
  const reading = readings.get(socket);
  if (reading !== undefined) reading.refused = true;
  socket.destroy();
});
// As ours: the expectation is met at once, since the content is there.
server.on('checkContinue', (request, response) => server.emit('request', request, response));
server.on('checkExpectation', (_request, response) => response.writeHead(417, { connection: 'close' }).end());

/** Requests as a server reads them. */
export async function nodeReadsRequests(bytes: Uint8Array): Promise<NodeReading> {
  const { stream, reading } = watched();
  server.emit('connection', stream);
  stream.push(bytes);
  await quiet(reading);
  const result = { read: [...reading.read], refused: reading.refused };
  stream.destroy();
  return result;
}

/** The answer to one request of that method, as a client reads it. */
export async function nodeReadsAnswer(
  bytes: Uint8Array,
  method: string,
  ends: boolean,
): Promise<NodeReading> {
  const { stream, reading } = watched();
  // A stream is all that is asked of a socket here.
  const socket = Object.assign(stream, {
    setTimeout: () => stream,
    setNoDelay: () => stream,
    setKeepAlive: () => stream,
    ref: () => stream,
    unref: () => stream,
  }) as unknown as Socket;
  const request = http.request({ method, host: 'a', path: '/', createConnection: () => socket });
  request.on('error', () => (reading.refused = true));
  request.on('upgrade', () => (reading.refused = true));
  request.on('connect', () => (reading.refused = true));
  request.on('response', (response) => {
    const chunks: Buffer[] = [];
    response.on('error', () => (reading.refused = true));
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      if (!response.complete) return;
      const { statusCode, rawHeaders, rawTrailers } = response;
      reading.read.push({
        // Beyond 599 Node leaves it to its user to take it for an error (RFC 9110 section 15).
        start: String((statusCode ?? 0) > 599 ? 500 : statusCode),
        fields: meantFields(rawHeaders),
        content: Buffer.concat(chunks).toString('latin1'),
        trailers: meantFields(rawTrailers),
      });
    });
  });
  request.end();
  await quiet(reading);
  stream.push(bytes);
  if (ends) stream.push(null);
  await quiet(reading);
  const result = { read: [...reading.read], refused: reading.refused };
  request.destroy();
  stream.destroy();
  return result;
}

function watched(): { stream: Duplex; reading: NodeReading } {
  const reading: NodeReading = { read: [], refused: false };
  const stream = new Duplex({
    read: () => {},
    write: (_chunk, _encoding, done) => done(),
    final: (done) => {
      reading.refused = true;
      done();
    },
  });
  stream.on('error', () => {});
  stream.on('close', () => (reading.refused = true));
  readings.set(stream, reading);
  return { stream, reading };
}

/** Until nothing has happened for some turns of the loop. */
async function quiet(reading: NodeReading): Promise<void> {
  let before = -1;
  for (let turn = 0, still = 0; turn < mostTurns && still < quietTurns; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = reading.read.length * 2 + (reading.refused ? 1 : 0);
    still = now === before ? still + 1 : 0;
    before = now;
  }
}

/** Node gives the target as it came; an absolute one names its authority (RFC 9112 section 3.2.2). */
function target(method: string, url: string, host: string): { authority: string; path: string } {
  if (method === 'CONNECT') return { authority: url, path: '' };
  const absolute = /^http:\/\/([^/?]*)([^]*)$/i.exec(url);
  if (absolute === null) return { authority: host, path: url };
  const [, authority = '', rest = ''] = absolute;
  return { authority, path: rest.startsWith('/') ? rest : `/${rest}` };
}
