import type { HeddleError } from '@heddle/kernel';
import { errorCode, type ErrorCode } from './error-code.ts';
import type { Link } from './link.ts';
import { type ReceiveOwner, ReceiveHalf } from './receive-half.ts';
import { type SendOwner, SendHalf } from './send-half.ts';

/** One stream, as both roles need it: two halves, and an end when both have ended. */
export abstract class Http2Stream implements ReceiveOwner, SendOwner {
  readonly id: number;
  readonly receive: ReceiveHalf;
  readonly send: SendHalf;
  /** The head of the peer's message has come: content may follow. */
  headSeen = false;
  /** The session has forgotten it. */
  closed = false;
  /** Turns of the watch in a row in which the peer gave nothing, and took nothing, that it should have. */
  receiveStalls = 0;
  sendStalls = 0;

  protected readonly link: Link;

  constructor(link: Link, id: number) {
    this.link = link;
    this.id = id;
    this.receive = new ReceiveHalf(link, this);
    this.send = new SendHalf(link, this);
  }

  /** Ends the stream with RST_STREAM; `error` goes to whoever is reading or writing. */
  reset(code: ErrorCode, error: HeddleError): void {
    if (this.closed) return;
    this.link.sendReset(this.id, code, this.receive.ended ? 0 : this.receive.windowBytes);
    this.fail(error);
  }

  /** The stream is over without having ended: reset by either side, or lost with its connection. */
  fail(error: HeddleError): void {
    if (this.closed) return;
    this.closed = true;
    this.link.forget(this.id);
    this.receive.stop(error);
    this.send.stop(error);
    this.ended(error);
  }

  /** The connection is over. */
  lost(error: HeddleError): void {
    this.fail(error);
  }

  /** END_STREAM came. */
  receiveEnded(): void {
    if (this.send.ended) this.finish();
  }

  /** END_STREAM was written. */
  sendEnded(): void {
    if (this.receive.ended) this.finish();
  }

  /** What was to be sent could not be produced. */
  sendFailed(error: HeddleError): void {
    this.reset(errorCode.internalError, error);
  }

  /** Content that does not come is the peer's fault: it cannot be waiting for us to answer first. */
  get contentDue(): boolean {
    return false;
  }

  /** Somebody has begun to read. */
  contentWanted(): void {}

  /** The reader of the content has left. */
  abstract contentAbandoned(error: HeddleError): void;

  /** The last thing that happens. */
  protected abstract ended(error: HeddleError | undefined): void;

  protected finish(): void {
    if (this.closed) return;
    this.closed = true;
    this.link.forget(this.id);
    this.ended(undefined);
  }
}
