// Requests byte by byte: what no client would send.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { flag, frameType } from '../../../../packages/wire/src/http2/frame.ts';
import { exchangeRaw } from '../../../../packages/wire/src/http1/testdata/raw-peer.ts';
import { block, frame, hello } from '../../../../packages/wire/src/http2/testdata/raw-frames.ts';
import type { HeaderCase } from './header-cases.ts';

const authority = 'shop.test';

/** Over HTTP/1.1; resolves when the connection has closed. */
export async function askHttp1(port: number, { fields, content }: HeaderCase): Promise<void> {
  const lines = [`${content === undefined ? 'GET' : 'POST'} /asked HTTP/1.1`, `Host: ${authority}`];
  if (content !== undefined) lines.push(`Content-Length: ${content.length}`);
  for (const [name, value] of fields) lines.push(`${name}: ${value}`);
  const last = `GET /last HTTP/1.1\r\nHost: ${authority}\r\nConnection: close\r\n\r\n`;
  await exchangeRaw(port, `${lines.join('\r\n')}\r\n\r\n${content ?? ''}${last}`);
}

/** Over HTTP/2, with a second request behind it; resolves when that is answered or the connection has closed. */
export async function askHttp2(port: number, { fields, content }: HeaderCase): Promise<void> {
  const pseudo: [string, string][] = [
    [':method', content === undefined ? 'GET' : 'POST'],
    [':scheme', 'http'],
    [':path', '/asked'],
    [':authority', authority],
  ];
  const ends = content === undefined ? flag.endStream : 0;
  const asked = frame(frameType.headers, flag.endHeaders | ends, 1, block([...pseudo, ...fields]));
  const data =
    content === undefined ? Buffer.alloc(0) : frame(frameType.data, flag.endStream, 1, Buffer.from(content));
  const rest: [string, string][] = [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/last'],
    [':authority', authority],
  ];
  const last = frame(frameType.headers, flag.endHeaders | flag.endStream, 3, block(rest));
  await exchanged(port, Buffer.concat([hello, asked, data, last]));
}

function exchanged(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(30_000, () => {
      socket.destroy();
      reject(new assert.AssertionError({ message: 'neither an answer nor an end' }));
    });
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (isAnswered(received)) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
}

/** True when the second request's answer has ended. */
function isAnswered(bytes: Buffer): boolean {
  for (let at = 0; at + 9 <= bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    const [flags, stream] = [bytes[at + 4] ?? 0, bytes.readUInt32BE(at + 5)];
    const isReset = bytes[at + 3] === frameType.rstStream;
    const ends = isReset || ((flags & flag.endStream) !== 0 && (bytes[at + 3] === 0 || bytes[at + 3] === 1));
    if (stream === 3 && ends) return true;
    at += 9 + length;
  }
  return false;
}
