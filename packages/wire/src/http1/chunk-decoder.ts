import { Fields } from '../message/fields.ts';
import type { IncomingBody } from '../message/incoming-body.ts';
import type { BodyDecoder } from './body-decoder.ts';
import { HeadReader, MORE } from './head-reader.ts';
import type { MessageLimits } from './limits.ts';
import { CR, HTAB, hexValues, latin1, LF, SEMICOLON, SP, valueOctets } from './octets.ts';
import { refusal } from './refusal.ts';

// Where in a chunk the next byte is.
const SIZE = 0;
const BEFORE_EXTENSION = 1;
const EXTENSION = 2;
const SIZE_LF = 3;
const DATA = 4;
const DATA_CR = 5;
const DATA_LF = 6;
const TRAILERS = 7;
const COMPLETE = 8;
const EXTENSION_NAME = 9;
const QUOTED = 10;
const ESCAPED = 11;

const quote = 0x22;
const backslash = 0x5c;
const equals = 0x3d;

// 52 bits: every size is an exact number, and no longer row of zeros is read as a number by anybody else.
const mostDigits = 13;

/**
 * Fields that must not come after the content, where whoever looked at the head has not seen them: framing,
 * routing, authentication, and how the content is to be read (RFC 9110 section 6.5.1).
 */
const forbiddenTrailers: ReadonlySet<string> = new Set(
  (
    'content-length transfer-encoding connection keep-alive proxy-connection upgrade te trailer host expect ' +
    'max-forwards authorization proxy-authorization cookie set-cookie content-encoding content-type content-range ' +
    'content-location cache-control range http2-settings'
  ).split(' '),
);

/**
 * `Transfer-Encoding: chunked` (RFC 9112 section 7.1), one state for each place where bytes may be cut.
 * Extensions are passed over within their limit; trailers are read as fields.
 */
export class ChunkDecoder implements BodyDecoder {
  trailers: Fields | undefined;
  readonly #limits: MessageLimits;
  #state = SIZE;
  #digits = 0;
  /** Bytes of the current chunk still to come; the size while it is being read. */
  #remaining = 0;
  #total = 0;
  #extensionBytes = 0;
  #trailerReader: HeadReader | undefined;

  constructor(limits: MessageLimits) {
    this.#limits = limits;
  }

  get complete(): boolean {
    return this.#state === COMPLETE;
  }

  decode(chunk: Uint8Array, at: number, body: IncomingBody): number {
    let p = at;
    while (p < chunk.byteLength && this.#state !== COMPLETE) {
      if (this.#state === DATA) p = this.#data(chunk, p, body);
      else if (this.#state === TRAILERS) p = this.#readTrailers(chunk, p);
      else this.#step(chunk[p++] as number);
    }
    return p;
  }

  #data(chunk: Uint8Array, at: number, body: IncomingBody): number {
    const end = Math.min(chunk.byteLength, at + this.#remaining);
    this.#remaining -= end - at;
    if (this.#remaining === 0) this.#state = DATA_CR;
    body.push(chunk.subarray(at, end));
    return end;
  }

  /** One byte of the lines around the data. */
  #step(byte: number): void {
    switch (this.#state) {
      case SIZE:
        this.#size(byte);
        return;
      case BEFORE_EXTENSION:
        this.#countExtension();
        if (byte === SEMICOLON) this.#state = EXTENSION_NAME;
        else if (byte !== SP && byte !== HTAB)
          throw badChunk('something other than an extension follows the size');
        return;
      case EXTENSION_NAME:
      case EXTENSION:
      case QUOTED:
      case ESCAPED:
        this.#countExtension();
        this.#extension(byte);
        return;
      case SIZE_LF:
        if (byte !== LF) throw badChunk('the line of the size ends in a bare CR');
        this.#afterSize();
        return;
      case DATA_CR:
        if (byte !== CR) throw badChunk('the data is longer than the size');
        this.#state = DATA_LF;
        return;
      default:
        if (byte !== LF) throw badChunk('the data ends in a bare CR');
        this.#state = SIZE;
    }
  }

  #size(byte: number): void {
    const digit = hexValues[byte] as number;
    if (digit >= 0) {
      if (++this.#digits > mostDigits) throw badChunk(`the size has more than ${mostDigits} digits`);
      this.#remaining = this.#remaining * 16 + digit;
      return;
    }
    if (this.#digits === 0) throw badChunk('the size is not a hexadecimal number');
    if (byte === CR) this.#state = SIZE_LF;
    else if (byte === SEMICOLON) this.#state = EXTENSION_NAME;
    else if (byte === SP || byte === HTAB) this.#state = BEFORE_EXTENSION;
    else throw badChunk('the size is not a hexadecimal number');
  }

  /** Others may end a line, or an extension, elsewhere: where it has no name, or a quote is left open. */
  #extension(byte: number): void {
    const isEnd = byte === CR;
    if (!isEnd && valueOctets[byte] !== 1) throw badChunk('there is a control character in an extension');
    if (this.#state === EXTENSION_NAME) {
      if (byte === SP || byte === HTAB) return;
      if (isEnd || byte === SEMICOLON || byte === equals || byte === quote)
        throw badChunk('an extension has no name');
      this.#state = EXTENSION;
    } else if (this.#state === EXTENSION) {
      if (isEnd) this.#state = SIZE_LF;
      else if (byte === SEMICOLON) this.#state = EXTENSION_NAME;
      else if (byte === quote) this.#state = QUOTED;
    } else if (isEnd) throw badChunk('a quote in an extension is left open');
    else if (this.#state === ESCAPED) this.#state = QUOTED;
    else if (byte === backslash) this.#state = ESCAPED;
    else if (byte === quote) this.#state = EXTENSION;
  }

  #countExtension(): void {
    if (++this.#extensionBytes > this.#limits.chunkExtensionBytes) {
      throw badChunk(`there are more than ${this.#limits.chunkExtensionBytes} bytes of extensions`);
    }
  }

  #afterSize(): void {
    this.#digits = 0;
    this.#total += this.#remaining;
    if (this.#total > this.#limits.bodyBytes) {
      throw refusal(
        'BODY_TOO_LARGE',
        `the content is larger than the limit of ${this.#limits.bodyBytes} bytes`,
      );
    }
    this.#state = this.#remaining === 0 ? TRAILERS : DATA;
  }

  #readTrailers(chunk: Uint8Array, at: number): number {
    this.#trailerReader ??= new HeadReader(this.#limits, undefined);
    const reader = this.#trailerReader;
    const after = reader.read(chunk, at);
    if (after === MORE) return chunk.byteLength;
    this.#state = COMPLETE;
    if (reader.fieldCount > 0) this.trailers = trailerFields(reader);
    return after;
  }
}

function trailerFields(reader: HeadReader): Fields {
  const text = latin1(reader.bytes, reader.start, reader.end);
  const fields = new Fields();
  for (let at = 0; at < reader.fieldCount * 4; at += 4) {
    const name = text.slice(reader.spans[at], reader.spans[at + 1]).toLowerCase();
    if (forbiddenTrailers.has(name))
      throw refusal('BAD_TRAILER', `"${name}" must not come after the content`);
    fields.append(name, text.slice(reader.spans[at + 2], reader.spans[at + 3]));
  }
  return fields;
}

function badChunk(message: string): Error {
  return refusal('BAD_CHUNK', message);
}
