// node:http2 (nghttp2) as the other reader, in both roles, over a stream without a socket.
import http2 from 'node:http2';
import { Duplex } from 'node:stream';
import { FrameReader } from '../../packages/wire/src/http2/frame-reader.ts';
import { clientPreface, frameType } from '../../packages/wire/src/http2/frame.ts';
import { plainAuthority } from '../hand.ts';
import { meantFields, type Meaning } from '../meaning.ts';

/** What it made of the bytes. */
export interface NodeStreams {
  /** Messages that were read completely, by stream. */
  readonly read: Map<number, Meaning>;
  /** Streams that it began to read and gave up. */
  readonly refused: Set<number>;
  /** The connection is over, or no new streams are wanted. */
  over: boolean;
}

const quietTurns = 8;
const mostTurns = 80;
const settings = { enableConnectProtocol: true, maxConcurrentStreams: 1000 };

/** Requests as a server reads them. The bytes begin with the client's preface. */
export async function nodeReadsStreams(bytes: Uint8Array): Promise<NodeStreams> {
  const { stream, reading } = watched(0);
  const session = http2.performServerHandshake(stream, { settings });
  session.on('error', () => (reading.over = true));
  session.on('goaway', () => (reading.over = true));
  session.on('close', () => (reading.over = true));
  session.on('stream', (request, headers, _flags, raw) => {
    const { id = 0 } = request;
    listen(request, id, reading, raw, () => {
      const authority = String(headers[':authority'] ?? headers.host ?? '');
      return `${String(headers[':method'])} ${plainAuthority(authority)} ${String(headers[':path'] ?? '')}`;
    });
    request.on('end', () => {
      if (request.writable && !request.headersSent) request.respond({}, { endStream: true });
    });
  });
  await quiet(reading);
  stream.push(bytes);
  await quiet(reading);
  const result = snapshot(reading);
  session.destroy();
  stream.destroy();
  return result;
}

/** Answers to requests of these methods, on streams 1, 3 and so on, as a client reads them. */
export async function nodeReadsAnswers(bytes: Uint8Array, methods: readonly string[]): Promise<NodeStreams> {
  const { stream, reading } = watched(clientPreface.length);
  const session = http2.connect('http://test', {
    createConnection: () => stream,
    settings: { enablePush: false },
  });
  session.on('error', () => (reading.over = true));
  session.on('goaway', () => (reading.over = true));
  session.on('close', () => (reading.over = true));
  for (const [index, method] of methods.entries()) {
    const request = session.request({ ':method': method, ':path': '/' }, { endStream: true });
    let status = 0;
    const raw: string[] = [];
    listen(request, 2 * index + 1, reading, raw, () => String(status));
    request.on('response', (headers, _flags, rawHeaders) => {
      const said = Number(headers[':status']);
      // Beyond 599 Node leaves it to its user to take it for an error (RFC 9110 section 15).
      status = said > 599 ? 500 : said;
      raw.push(...rawHeaders);
    });
  }
  await quiet(reading);
  stream.push(bytes);
  await quiet(reading);
  const result = snapshot(reading);
  session.destroy();
  stream.destroy();
  return result;
}

function snapshot({ read, refused, over }: NodeStreams): NodeStreams {
  return { read: new Map(read), refused: new Set(refused), over };
}

function listen(
  stream: http2.Http2Stream,
  id: number,
  reading: NodeStreams,
  raw: readonly string[],
  start: () => string,
): void {
  const chunks: Buffer[] = [];
  let trailers: readonly string[] = [];
  stream.on('error', () => reading.refused.add(id));
  stream.on('aborted', () => reading.refused.add(id));
  // Closed before its end was read: the peer has reset it, or it was wrong.
  stream.on('close', () => reading.read.has(id) || reading.refused.add(id));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on(
    'trailers',
    (_headers: unknown, _flags: number, rawTrailers: string[]) => (trailers = rawTrailers),
  );
  stream.on('end', () => {
    if (stream.aborted || stream.destroyed) return;
    reading.read.set(id, {
      start: start(),
      fields: meantFields(raw),
      content: Buffer.concat(chunks).toString('latin1'),
      trailers: meantFields(trailers),
    });
  });
}

function watched(skipped: number): { stream: Duplex; reading: NodeStreams } {
  const reading: NodeStreams = { read: new Map(), refused: new Set(), over: false };
  const log = outputOf(reading, skipped);
  const stream = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      log.read(chunk);
      done();
    },
    final: (done) => {
      reading.over = true;
      done();
    },
  });
  stream.on('error', () => {});
  stream.on('close', () => (reading.over = true));
  return { stream, reading };
}

/** Takes what nghttp2 writes, behind so many bytes: of streams that it refuses by itself, node:http2 hears nothing. */
function outputOf(reading: NodeStreams, skipped: number): { read: (chunk: Buffer) => void } {
  let left = skipped;
  const reader = new FrameReader((type, _flags, streamId) => {
    if (type === frameType.rstStream) reading.refused.add(streamId);
    if (type === frameType.goaway) reading.over = true;
  });
  return {
    read: (chunk) => {
      const from = Math.min(left, chunk.length);
      left -= from;
      reader.read(Buffer.from(chunk.subarray(from)));
    },
  };
}

/** Until nothing has happened for some turns of the loop. */
async function quiet(reading: NodeStreams): Promise<void> {
  let before = -1;
  for (let turn = 0, still = 0; turn < mostTurns && still < quietTurns; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = (reading.read.size + reading.refused.size) * 2 + (reading.over ? 1 : 0);
    still = now === before ? still + 1 : 0;
    before = now;
  }
}
