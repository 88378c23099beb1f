import { HeddleError } from '@heddle/kernel';
import { type Body, streamBody } from '../message/body.ts';
import type { Fields } from '../message/fields.ts';
import { frame } from './framing.ts';

const trailerFlag = 0x80;

/** The frame that ends a gRPC-Web body: the trailer as HTTP/1.1 writes fields (grpc/grpc `doc/PROTOCOL-WEB.md`). */
export function webTrailers(trailer: Fields): Uint8Array {
  let text = '';
  for (const [name, value] of trailer) text += `${name}: ${value}\r\n`;
  return frame(Buffer.from(text, 'latin1'), trailerFlag);
}

/** Base64 with padding, as bytes: a piece of a body in gRPC-Web's text mode. Pieces are joined as they are. */
export function encodeBase64(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return Buffer.from(text, 'latin1');
}

/**
 * The bytes of a body in gRPC-Web's text mode: base64 in pieces, each with its own padding, cut anywhere.
 * Reading rejects with `invalid_argument` / `BAD_BASE64` for anything else.
 */
export function base64Body(body: Body): Body {
  return streamBody(decoded(body));
}

async function* decoded(body: Body): AsyncGenerator<Uint8Array, void> {
  let rest = '';
  for await (const chunk of body) {
    const text = rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    const whole = text.length - (text.length % 4);
    rest = text.slice(whole);
    if (whole > 0) yield decodeGroups(text.slice(0, whole));
  }
  if (rest !== '') throw badBase64('it ends within a group of four characters');
}

/** Groups of four characters, any of which may be padded: each padded one ends a piece. */
function decodeGroups(text: string): Uint8Array {
  if (!/^(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)*$/.test(text))
    throw badBase64('it has a character that is none of base64, or padding out of place');
  if (!text.includes('=')) return Buffer.from(text, 'base64');
  const pieces = text.match(/[^=]+=*/g) ?? [];
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64')));
}

function badBase64(what: string): HeddleError {
  const message = `a body of application/grpc-web-text is not base64: ${what}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_BASE64', message });
}
