import type { HeddleError } from '@heddle/kernel';
import { type Body, emptyBody, wholeBody } from '../message/body.ts';
import type { Fields } from '../message/fields.ts';
import { errorCode, StreamFault } from './error-code.ts';
import { IncomingBody, type BodySource } from './incoming-body.ts';
import type { Session } from './session.ts';
import type { Http2Stream } from './stream.ts';
import { writeWindowUpdate } from './frame-writer.ts';

const noBytes = new Uint8Array(0);

/**
 * What the peer sends on a stream: its content, its window and its end. Until the message is handed over (`take`),
 * content is only kept, so that a message which has come as a whole is handed over as a whole.
 */
export class ReceiveHalf implements BodySource {
  /** END_STREAM has come, or nothing more is wanted. */
  ended = false;
  /** Bytes that the head's content-length says there are. */
  expected: number | undefined;
  /** Anything has come since this was last set to false: for telling a slow peer from a silent one. */
  progress = false;

  readonly #session: Session;
  readonly #stream: Http2Stream;
  #received = 0;
  #window: number;
  #target: number;
  #unacknowledged = 0;
  #whole: Uint8Array | undefined;
  #wholeTrailers: Fields | undefined;
  #body: IncomingBody | undefined;

  constructor(session: Session, stream: Http2Stream) {
    this.#session = session;
    this.#stream = stream;
    this.#window = session.limits.streamWindowBytes;
    this.#target = this.#window;
  }

  /** A reader waits for content that does not come. */
  get starved(): boolean {
    return !this.ended && this.#body !== undefined && this.#body.starved;
  }

  /** One DATA frame: `content` of the `flowBytes` that count, which is more if it was padded. */
  data(content: Uint8Array, flowBytes: number, endStream: boolean): void {
    this.#window -= flowBytes;
    this.#received += content.length;
    this.progress = true;
    this.#check(flowBytes, endStream);
    if (flowBytes > content.length) this.#credit(flowBytes - content.length, endStream);
    if (endStream && this.#body === undefined && !this.#stream.handedOver) {
      // All of it came before anybody could ask for it.
      this.#whole = content;
      this.#session.credit(content.length);
      this.ended = true;
      return;
    }
    if (content.length > 0) this.#streaming().push(content);
    if (endStream) this.end(undefined);
  }

  /** END_STREAM without content, perhaps on trailers. */
  end(trailers: Fields | undefined): void {
    this.#check(0, true);
    this.ended = true;
    this.progress = true;
    if (this.#body !== undefined) this.#body.end(trailers);
    else this.#wholeTrailers = trailers;
  }

  /** The content, for the message. Once. */
  take(): Body {
    if (!this.ended) return this.#streaming();
    if (this.#body !== undefined) return wholeBody(this.#body.takeAll(), this.#body.trailers);
    if (this.#whole === undefined && this.#wholeTrailers === undefined) return emptyBody;
    return wholeBody(this.#whole ?? noBytes, this.#wholeTrailers);
  }

  /** Nothing more is wanted, or will come. */
  stop(error: HeddleError): void {
    this.ended = true;
    this.#whole = undefined;
    this.#body?.fail(error);
  }

  consumed(bytes: number): void {
    this.#credit(bytes, this.ended);
  }

  demanded(): void {
    this.#stream.contentDemanded();
  }

  abandoned(error: HeddleError): void {
    this.#stream.contentAbandoned(error);
  }

  #streaming(): IncomingBody {
    this.#body ??= new IncomingBody(this, this.expected);
    return this.#body;
  }

  #credit(bytes: number, ended: boolean): void {
    this.#session.credit(bytes);
    if (ended) return;
    this.#unacknowledged += bytes;
    if (this.#unacknowledged * 2 < this.#target) return;
    const grown = this.#body !== undefined && this.#body.queued === 0 ? this.#growth() : 0;
    const increment = this.#unacknowledged + grown;
    this.#target += grown;
    this.#window += increment;
    this.#unacknowledged = 0;
    writeWindowUpdate(this.#session.output, this.#stream.id, increment);
  }

  /** Half a window was read as fast as it came: perhaps the window is what holds the peer back. */
  #growth(): number {
    return Math.max(0, Math.min(this.#target, this.#session.limits.maxStreamWindowBytes - this.#target));
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
    this.#session.credit(flowBytes);
    throw new StreamFault(this.#stream.id, code, message);
  }
}
