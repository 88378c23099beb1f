import type { HeddleError } from '@heddle/kernel';
import { type Body, emptyBody, wholeBody } from '../message/body.ts';
import type { Fields } from '../message/fields.ts';
import { type BodySource, IncomingBody } from '../message/incoming-body.ts';
import { errorCode, StreamFault } from './error-code.ts';
import { writeWindowUpdate } from './frame-writer.ts';
import type { Link } from './link.ts';

/** The stream that a half belongs to. */
export interface ReceiveOwner {
  readonly id: number;
  /** Somebody has begun to read content that has not all come. */
  contentWanted(): void;
  /** The reader has left before the end. */
  contentAbandoned(error: HeddleError): void;
}

const noBytes = new Uint8Array(0);

/**
 * What the peer sends on a stream: its content, its window and its end. Until the message is handed over (`take`),
 * content is only kept, so that a message which has come as a whole is handed over as a whole.
 */
export class ReceiveHalf implements BodySource {
  /** END_STREAM has come, or nothing more is wanted. */
  ended = false;
  /** `take` was called. */
  taken = false;
  /** Bytes that the head's content-length says there are. */
  expected: number | undefined;
  /** Anything has come since this was last set to false: for telling a slow peer from a silent one. */
  progress = false;

  readonly #link: Link;
  readonly #owner: ReceiveOwner;
  #received = 0;
  #window: number;
  #target: number;
  #unacknowledged = 0;
  #early: Uint8Array[] | undefined;
  #trailers: Fields | undefined;
  #body: IncomingBody | undefined;

  constructor(link: Link, owner: ReceiveOwner) {
    this.#link = link;
    this.#owner = owner;
    this.#window = link.streamReceiveWindow;
    this.#target = link.limits.streamWindowBytes;
  }

  /** A reader waits for content that does not come. */
  get starved(): boolean {
    return !this.ended && this.#body !== undefined && this.#body.read && this.#body.bufferedBytes === 0;
  }

  /** What the peer may still send; it may all be on its way. */
  get windowBytes(): number {
    return this.#window;
  }

  /** The peer has learnt of another initial window (RFC 9113 section 6.9.2). */
  moveWindow(by: number): void {
    this.#window += by;
  }

  /** One DATA frame: `content` of the `flowBytes` that count, which is more if it was padded. */
  data(content: Uint8Array, flowBytes: number, endStream: boolean): void {
    this.#window -= flowBytes;
    this.#received += content.length;
    this.progress = true;
    this.#check(flowBytes, endStream);
    if (flowBytes > content.length) this.#credit(flowBytes - content.length, endStream);
    if (content.length > 0) this.#keep(content);
    if (endStream) this.#end(undefined);
  }

  /** END_STREAM without content, perhaps on trailers. */
  end(trailers: Fields | undefined): void {
    this.#check(0, true);
    this.progress = true;
    this.#end(trailers);
  }

  /** The content, for the message. Once. */
  take(): Body {
    this.taken = true;
    const early = this.#early;
    this.#early = undefined;
    if (this.ended) {
      if (early === undefined && this.#trailers === undefined) return emptyBody;
      return wholeBody(this.#join(early), this.#trailers);
    }
    const body = new IncomingBody(this, this.expected);
    if (early !== undefined) for (const chunk of early) body.push(chunk);
    this.#body = body;
    return body;
  }

  /** Nothing more is wanted, or will come. */
  stop(error: HeddleError): void {
    this.ended = true;
    if (this.#early !== undefined) this.#join(this.#early);
    this.#early = undefined;
    this.#body?.fail(error);
  }

  consumed(bytes: number): void {
    this.#credit(bytes, this.ended);
  }

  wanted(): void {
    this.#owner.contentWanted();
  }

  abandoned(error: HeddleError): void {
    this.#owner.contentAbandoned(error);
  }

  #keep(content: Uint8Array): void {
    const body = this.#body;
    if (body === undefined) {
      if (this.#early === undefined) this.#early = [content];
      else this.#early.push(content);
      return;
    }
    body.push(content);
  }

  #end(trailers: Fields | undefined): void {
    this.ended = true;
    this.#trailers = trailers;
    this.#body?.finish(trailers);
  }

  #join(early: readonly Uint8Array[] | undefined): Uint8Array {
    if (early === undefined) return noBytes;
    const [only = noBytes] = early;
    const joined = early.length === 1 ? only : Buffer.concat(early);
    this.#link.credit(joined.length);
    return joined;
  }

  #credit(bytes: number, ended: boolean): void {
    this.#link.credit(bytes);
    if (ended) return;
    this.#unacknowledged += bytes;
    if (this.#unacknowledged * 2 < this.#target) return;
    const grown = this.#growth();
    const increment = this.#unacknowledged + grown;
    this.#target += grown;
    this.#window += increment;
    this.#unacknowledged = 0;
    writeWindowUpdate(this.#link.output, this.#owner.id, increment);
  }

  /** Half a window was read as fast as it came: perhaps the window is what holds the peer back. */
  #growth(): number {
    if (this.#body === undefined || this.#body.bufferedBytes > 0) return 0;
    return Math.max(0, Math.min(this.#target, this.#link.limits.maxStreamWindowBytes - this.#target));
  }

  #check(flowBytes: number, endStream: boolean): void {
    const { expected } = this;
    if (this.#window < 0)
      this.#refuse(flowBytes, errorCode.flowControlError, 'more content than the window allows');
    if (expected === undefined) return;
    if (this.#received > expected || (endStream && this.#received < expected)) {
      const message = `${this.#received} bytes of content; content-length is ${expected}`;
      this.#refuse(flowBytes, errorCode.protocolError, message);
    }
  }

  /** What is refused was received all the same: the connection's window gets it back. */
  #refuse(flowBytes: number, code: number, message: string): never {
    this.#link.credit(flowBytes);
    throw new StreamFault(this.#owner.id, code, message);
  }
}
