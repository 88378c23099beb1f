import { Fields } from '../message/fields.ts';
import {
  CONNECTION,
  CONTENT_LENGTH,
  EXPECT,
  HOST,
  HTTP2_SETTINGS,
  KEEP_ALIVE,
  knownName,
  knownNames,
  TRANSFER_ENCODING,
  UPGRADE,
} from './field-name.ts';
import type { HeadReader } from './head-reader.ts';
import { consistsOf, tokenOctets } from './octets.ts';
import { refusal } from './refusal.ts';

/** No Content-Length was there. */
export const NO_LENGTH = -1;

/** Names that must not be called connection-specific: without them the message means something else. */
const neverNominated: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'trailer',
]);

/**
 * What the fields of one head say, once those that belong to the connection have been taken out: framing is
 * understood here, or refused (RFC 9112 section 6), and what `Connection` names is dropped (RFC 9110 section 7.6.1).
 */
export class MessageHead {
  /** End-to-end fields. */
  readonly fields: Fields;
  /** The one Content-Length, or `NO_LENGTH`. */
  contentLength: number = NO_LENGTH;
  chunked = false;
  /** `Connection: close`, and `Connection: keep-alive`. */
  close = false;
  keepAlive = false;
  /** The one Host, if there. */
  host: string | undefined;
  /** The Expect field as it came. */
  expect: string | undefined;
  /** The tokens of Upgrade in the order of preference, if `Connection` names it and any is left without `h2c`. */
  upgrade: string | undefined;

  #upgradeNamed = false;
  #nominated: string[] | undefined;

  /**
   * Understands the head that `reader` has just read, whose text is `text` from `reader.start`; or is the same as another
   * one that was understood, with fields of its own.
   */
  constructor(from: HeadReader | MessageHead, text: string) {
    if (from instanceof MessageHead) {
      this.fields = from.fields.clone();
      this.#become(from);
      return;
    }
    this.fields = new Fields();
    this.#understand(from, text);
  }

  #become({ contentLength, chunked, close, keepAlive, host, expect, upgrade }: MessageHead): void {
    this.contentLength = contentLength;
    this.chunked = chunked;
    this.close = close;
    this.keepAlive = keepAlive;
    this.host = host;
    this.expect = expect;
    this.upgrade = upgrade;
  }

  #understand(reader: HeadReader, text: string): void {
    const { bytes, start, spans, fieldCount } = reader;
    for (let field = 0; field < fieldCount; field++) {
      const at = field * 4;
      const nameStart = spans[at] as number;
      const nameEnd = spans[at + 1] as number;
      const known = knownName(bytes, start + nameStart, start + nameEnd);
      const value = text.slice(spans[at + 2], spans[at + 3]);
      if (known < 0) this.fields.raw.push(text.slice(nameStart, nameEnd).toLowerCase(), value);
      else if (known > HTTP2_SETTINGS) this.fields.raw.push(knownNames[known] as string, value);
      else if (known < KEEP_ALIVE) this.#steer(known, value);
    }
    if (this.chunked && this.contentLength !== NO_LENGTH) {
      throw refusal('BAD_TRANSFER_ENCODING', 'there is a Content-Length beside Transfer-Encoding');
    }
    if (this.#nominated !== undefined) for (const name of this.#nominated) this.fields.delete(name);
    if (!this.#upgradeNamed) this.upgrade = undefined;
  }

  #steer(known: number, value: string): void {
    if (known === CONTENT_LENGTH) {
      if (this.contentLength !== NO_LENGTH)
        throw refusal('BAD_CONTENT_LENGTH', 'there are two Content-Length fields');
      this.contentLength = readLength(value);
    } else if (known === TRANSFER_ENCODING) {
      this.#readCoding(value);
    } else if (known === CONNECTION) {
      this.#readConnection(value);
    } else if (known === HOST) {
      if (this.host !== undefined) throw refusal('BAD_HOST', 'there are two Host fields');
      this.host = value;
    } else if (known === EXPECT) {
      this.expect = this.expect === undefined ? value : `${this.expect}, ${value}`;
    } else if (known === UPGRADE) {
      this.#readUpgrade(value);
    }
  }

  #readCoding(value: string): void {
    if (this.chunked) throw refusal('BAD_TRANSFER_ENCODING', 'there are two Transfer-Encoding fields');
    if (value.length === 7 && value.toLowerCase() === 'chunked') {
      this.chunked = true;
      return;
    }
    // A coding that exists, with chunked last, can be read, only not by us (RFC 9112 section 6.1).
    const codings = value
      .toLowerCase()
      .split(',')
      .map((coding) => coding.trim());
    const known = codings.every((coding) =>
      ['gzip', 'x-gzip', 'compress', 'x-compress', 'deflate'].includes(coding),
    );
    if (codings.pop() === 'chunked' && codings.length > 0 && !codings.includes('chunked')) {
      if (known || codings.every((coding) => consistsOf(coding, tokenOctets) && coding !== 'identity')) {
        throw refusal('TRANSFER_CODING_UNKNOWN', 'the only transfer coding that is understood is chunked');
      }
    }
    throw refusal('BAD_TRANSFER_ENCODING', 'Transfer-Encoding is not "chunked"');
  }

  #readConnection(value: string): void {
    for (const part of value.split(',')) {
      const name = part.trim().toLowerCase();
      if (name === 'close') this.close = true;
      else if (name === 'keep-alive') this.keepAlive = true;
      else if (name === 'upgrade') this.#upgradeNamed = true;
      else if (name !== '') this.#nominate(name);
    }
  }

  #nominate(name: string): void {
    if (!consistsOf(name, tokenOctets) || neverNominated.has(name)) {
      throw refusal('BAD_CONNECTION', 'Connection names something that is not a field of this connection');
    }
    this.#nominated ??= [];
    this.#nominated.push(name);
  }

  #readUpgrade(value: string): void {
    for (const part of value.split(',')) {
      const token = part.trim();
      if (token === '') continue;
      const [name = '', version, more] = token.split('/');
      const good =
        consistsOf(name, tokenOctets) && (version === undefined || consistsOf(version, tokenOctets));
      if (!good || more !== undefined) throw refusal('BAD_UPGRADE', 'Upgrade is not a list of protocols');
      // HTTP/2 without prior knowledge would smuggle requests past whoever looks only at this one.
      if (name.toLowerCase() !== 'h2c' && name.toLowerCase() !== 'h2') this.upgrade ??= token;
    }
  }
}

/** `1*DIGIT` and nothing else, up to the largest exact integer (RFC 9112 section 6.3). */
export function readLength(value: string): number {
  let length = 0;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - 0x30;
    if (digit < 0 || digit > 9 || length > 900_719_925_474_098) {
      throw refusal('BAD_CONTENT_LENGTH', 'Content-Length is not one decimal number below 2^53');
    }
    length = length * 10 + digit;
  }
  if (value.length === 0) throw refusal('BAD_CONTENT_LENGTH', 'Content-Length is empty');
  return length;
}
