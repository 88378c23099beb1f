import type { MessageLimits } from './limits.ts';
import { COLON, CR, HTAB, LF, SP, tokenOctets } from './octets.ts';
import { type RefusalReason, refusal } from './refusal.ts';

/** More bytes are needed. */
export const MORE = -1;

const empty = new Uint8Array(0);

/** The start line of one kind of message. */
export interface StartLine {
  /** Why a line is wrong, and why one is too long. */
  readonly wrong: RefusalReason;
  readonly tooLong: RefusalReason;
  /** Reads the line at `at`. The position after its CRLF, `MORE` if it goes on after `end`, below that: wrong. */
  read(bytes: Uint8Array, at: number, end: number): number;
}

/** What a reader of lines answers when the line is wrong. */
export const WRONG = -2;

/**
 * Reads the head of a message: start line, fields, empty line (RFC 9112 sections 2 to 5). Also trailers, which have
 * no start line. It works through the chunk in place, in one pass; only a head that is cut in two is copied.
 * A line is judged when it is complete, so the result is the same however the bytes were cut.
 *
 * After `read` has given a position, `bytes` holds the head from `start` to `end`, and `spans` four positions for
 * each field: name from, name to, value from, value to. They hold until the next `read`.
 */
export class HeadReader {
  bytes: Uint8Array = empty;
  start = 0;
  end = 0;
  fieldCount = 0;
  spans: Int32Array = new Int32Array(4 * 32);

  readonly #limits: MessageLimits;
  readonly #startLine: StartLine | undefined;
  // A head in several chunks is gathered here; none of it has been used while `#held` is 0.
  #gathered: Uint8Array = empty;
  #held = 0;
  /** Start of the first line that is not complete, from the start of the head. */
  #line = 0;
  #inFields: boolean;

  constructor(limits: MessageLimits, startLine: StartLine | undefined) {
    this.#limits = limits;
    this.#startLine = startLine;
    this.#inFields = startLine === undefined;
  }

  /** True between the first byte of a head and its last. */
  get started(): boolean {
    return this.#held > 0;
  }

  /** Takes bytes from `at` on. The position after the head, or `MORE`. Throws a refusal; then it is done for. */
  read(chunk: Uint8Array, at: number): number {
    if (this.#held === 0) {
      const after = this.#parse(chunk, at, chunk.byteLength);
      if (after === MORE) this.#hold(chunk, at);
      return after;
    }
    const before = this.#held;
    const hasLine = chunk.indexOf(LF, at) >= 0;
    this.#hold(chunk, at);
    // Without the end of a line there is nothing new to judge, except the length.
    if (!hasLine) {
      this.#checkLength(this.#held, this.#held - this.#line);
      return MORE;
    }
    const after = this.#parse(this.#gathered, 0, this.#held);
    return after === MORE ? MORE : at + after - before;
  }

  /** Forgets the head, so that the next may come. */
  reset(): void {
    this.bytes = empty;
    this.#gathered = empty;
    this.#held = 0;
    this.#line = 0;
    this.fieldCount = 0;
    this.#inFields = this.#startLine === undefined;
  }

  #hold(chunk: Uint8Array, at: number): void {
    // No more than can be a head: what follows one in the same chunk stays in the chunk.
    const take = Math.min(chunk.byteLength - at, this.#limits.headBytes + 1 - this.#held);
    const needed = this.#held + take;
    if (needed > this.#gathered.byteLength) {
      const larger = new Uint8Array(Math.max(512, needed, this.#gathered.byteLength * 2));
      larger.set(this.#gathered.subarray(0, this.#held));
      this.#gathered = larger;
    }
    this.#gathered.set(chunk.subarray(at, at + take), this.#held);
    this.#held = needed;
  }

  #parse(bytes: Uint8Array, base: number, end: number): number {
    let at = base + this.#line;
    if (!this.#inFields) {
      const after = this.#judge(bytes, base, at, end, (this.#startLine as StartLine).read(bytes, at, end));
      if (after === MORE) return MORE;
      this.#inFields = true;
      at = after;
    }
    for (;;) {
      this.#line = at - base;
      if (at + 1 < end && bytes[at] === CR && bytes[at + 1] === LF) break;
      const after = this.#judge(bytes, base, at, end, this.#field(bytes, base, at, end));
      if (after === MORE) return MORE;
      at = after;
    }
    this.#checkLength(at + 2 - base, 0);
    this.bytes = bytes;
    this.start = base;
    this.end = at + 2;
    return at + 2;
  }

  /** One field line: `name: value`, with no space before the colon and no fold (RFC 9112 section 5). */
  #field(bytes: Uint8Array, base: number, at: number, end: number): number {
    const allowed = tokenOctets;
    let p = at;
    while (p < end && allowed[bytes[p] as number] === 1) p++;
    if (p === end) return MORE;
    if (bytes[p] !== COLON || p === at) return p === at && bytes[p] === CR && p + 1 === end ? MORE : WRONG;
    const nameEnd = p++;
    while (p < end && (bytes[p] === SP || bytes[p] === HTAB)) p++;
    const valueStart = p;
    p = valueEndAt(bytes, p, end);
    if (p + 1 >= end) return p === end || bytes[p] === CR ? MORE : WRONG;
    if (bytes[p] !== CR || bytes[p + 1] !== LF) return WRONG;
    let valueEnd = p;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === HTAB)) valueEnd--;
    this.#note(at - base, nameEnd - base, valueStart - base, valueEnd - base);
    return p + 2;
  }

  #note(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number): void {
    const at = this.fieldCount * 4;
    if (at === this.spans.length) {
      const larger = new Int32Array(at * 2);
      larger.set(this.spans);
      this.spans = larger;
    }
    const { spans } = this;
    spans[at] = nameStart;
    spans[at + 1] = nameEnd;
    spans[at + 2] = valueStart;
    spans[at + 3] = valueEnd;
    this.fieldCount++;
  }

  /** What the reader of a line said, checked against the limits; a wrong line is waited for to its end. */
  #judge(bytes: Uint8Array, base: number, at: number, end: number, after: number): number {
    if (after >= 0) {
      this.#checkLength(after - base, after - at);
      return after;
    }
    const from = bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : at;
    const feed = after === WRONG ? bytes.indexOf(LF, from) : -1;
    const complete = feed >= 0 && feed < end;
    const judged = complete ? feed + 1 : end;
    this.#checkLength(judged - base, judged - at);
    if (!complete) return MORE;
    if (this.#inFields)
      throw refusal('BAD_FIELD', `line ${this.fieldCount + 1} of the fields is not "name: value" CRLF`);
    throw refusal((this.#startLine as StartLine).wrong, 'the first line is not one of HTTP/1.1');
  }

  #checkLength(headBytes: number, lineBytes: number): void {
    const { startLineBytes, headBytes: most, fieldCount } = this.#limits;
    if (!this.#inFields && this.#startLine !== undefined && lineBytes > startLineBytes + 2) {
      throw refusal(this.#startLine.tooLong, `the first line is longer than ${startLineBytes} bytes`);
    }
    if (headBytes > most) throw refusal('HEAD_TOO_LARGE', `the head is larger than ${most} bytes`);
    if (this.fieldCount > fieldCount)
      throw refusal('HEAD_TOO_LARGE', `there are more than ${fieldCount} fields`);
  }
}

/** The first byte from `at` on that no field value may have. As `valueOctets`, but without a look into memory. */
function valueEndAt(bytes: Uint8Array, at: number, end: number): number {
  // Literals, since a name imported from another module is looked up anew each time.
  for (let p = at; p < end; p++) {
    const byte = bytes[p] as number;
    if (byte < 0x20 ? byte !== 0x09 : byte === 0x7f) return p;
  }
  return end;
}
