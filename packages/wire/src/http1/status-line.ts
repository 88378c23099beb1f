import { MORE, type StartLine, WRONG } from './head-reader.ts';
import { CR, LF, SP, valueOctets } from './octets.ts';

const version = Buffer.from('HTTP/1.');
/** A client takes a status beyond 599 for some error of the server's (RFC 9110 section 15). */
const unknownStatus = 500;

/**
 * `HTTP/1.d SP status [ SP reason ] CRLF` (RFC 9112 section 4). The space after the status may be missing along
 * with the reason, as many servers leave both out.
 */
export class StatusLine implements StartLine {
  readonly wrong = 'BAD_STATUS_LINE';
  readonly tooLong = 'HEAD_TOO_LARGE';
  /** 0 or 1. */
  minor = 0;
  /** 100 to 599; one beyond that is read as 500. */
  status = 0;

  read(bytes: Uint8Array, at: number, end: number): number {
    for (let i = 0; i < version.length; i++) {
      if (at + i >= end) return MORE;
      if (bytes[at + i] !== version[i]) return WRONG;
    }
    // The shortest line has 13 bytes. A shorter one that has ended is wrong now, and not when more has come.
    if (at + 13 > end) return bytes.subarray(at, end).includes(LF) ? WRONG : MORE;
    this.minor = (bytes[at + 7] as number) - 0x30;
    if ((this.minor !== 0 && this.minor !== 1) || bytes[at + 8] !== SP) return WRONG;
    this.status = 0;
    for (let i = 9; i < 12; i++) {
      const digit = (bytes[at + i] as number) - 0x30;
      if (digit < 0 || digit > 9) return WRONG;
      this.status = this.status * 10 + digit;
    }
    if (this.status < 100) return WRONG;
    if (this.status > 599) this.status = unknownStatus;
    return this.#reason(bytes, at + 12, end);
  }

  #reason(bytes: Uint8Array, at: number, end: number): number {
    let p = at;
    if (bytes[p] === SP) while (p < end && valueOctets[bytes[p] as number] === 1) p++;
    if (p + 1 >= end) return p === end || bytes[p] === CR ? MORE : WRONG;
    return bytes[p] === CR && bytes[p + 1] === LF ? p + 2 : WRONG;
  }
}
