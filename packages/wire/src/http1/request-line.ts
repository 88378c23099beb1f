import { MORE, type StartLine, WRONG } from './head-reader.ts';
import { CR, LF, SP, targetOctets, tokenOctets } from './octets.ts';

const version = Buffer.from('HTTP/');

/**
 * `method SP request-target SP HTTP/d.d CRLF` (RFC 9112 section 3), each separator exactly one space. One empty line
 * before it is passed over (section 2.2). Positions are from the start of the head.
 */
export class RequestLine implements StartLine {
  readonly wrong = 'BAD_REQUEST_LINE';
  readonly tooLong = 'TARGET_TOO_LONG';
  methodStart = 0;
  methodEnd = 0;
  targetEnd = 0;
  /** 1 and 1 for HTTP/1.1. */
  major = 0;
  minor = 0;

  read(bytes: Uint8Array, at: number, end: number): number {
    let p = at;
    if (bytes[p] === CR) {
      if (p + 1 >= end) return MORE;
      if (bytes[p + 1] !== LF) return WRONG;
      p += 2;
    }
    this.methodStart = p - at;
    const inMethod = tokenOctets;
    while (p < end && inMethod[bytes[p] as number] === 1) p++;
    if (p >= end) return MORE;
    this.methodEnd = p - at;
    if (bytes[p] !== SP || this.methodEnd === this.methodStart) return WRONG;
    p++;
    const inTarget = targetOctets;
    while (p < end && inTarget[bytes[p] as number] === 1) p++;
    if (p >= end) return MORE;
    this.targetEnd = p - at;
    if (bytes[p] !== SP || this.targetEnd === this.methodEnd + 1) return WRONG;
    return this.#version(bytes, p + 1, end);
  }

  #version(bytes: Uint8Array, at: number, end: number): number {
    for (let i = 0; i < 5; i++) {
      if (at + i >= end) return MORE;
      if (bytes[at + i] !== version[i]) return WRONG;
    }
    if (at + 10 > end) return MORE;
    this.major = (bytes[at + 5] as number) - 0x30;
    this.minor = (bytes[at + 7] as number) - 0x30;
    if (bytes[at + 6] !== 0x2e || this.major < 0 || this.major > 9 || this.minor < 0 || this.minor > 9)
      return WRONG;
    return bytes[at + 8] === CR && bytes[at + 9] === LF ? at + 10 : WRONG;
  }
}
