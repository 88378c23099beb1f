import { type Call, HeddleError, type Runtime, type Timer } from '@heddle/kernel';
import { type Body, emptyBody, wholeBody } from '../message/body.ts';
import type { Fields } from '../message/fields.ts';
import type { HttpRequest, HttpResponse } from '../message/http.ts';
import { type BodySource, IncomingBody } from '../message/incoming-body.ts';
import { type Lender, ReceivedBody } from '../message/received-body.ts';
import { type BodyDecoder, checkLength, lengthDecoder, openDecoder } from './body-decoder.ts';
import { BodyWriter, type BodyWriterOwner, type Framing } from './body-writer.ts';
import { ChunkDecoder } from './chunk-decoder.ts';
import type { Http1ClientLimits } from './client-limits.ts';
import { endNow } from './end-now.ts';
import { NO_LENGTH } from './message-head.ts';
import type { Outbox } from './outbox.ts';
import { refusal } from './refusal.ts';
import type { ResponseHead } from './response-head.ts';
import { planRequest, type RequestFraming, writeRequestHead } from './write-request.ts';
import { hasNoContent, isTunnel } from './write-response.ts';

/** The connection that an exchange is on. */
export interface ExchangeConnection {
  readonly outbox: Outbox;
  readonly limits: Http1ClientLimits;
  readonly runtime: Runtime;
  /** Whose memory what is read lies in. */
  readonly lender: Lender;
  /** The content of the answer comes through this decoder from now on. */
  readInto(body: IncomingBody, decoder: BodyDecoder): void;
  /** The reader of the answer has room again. */
  resumeInput(): void;
  /** No more is sent into the tunnel. */
  endSending(): void;
  /** The exchange is over, at `nowMs`. `again`: both sides are done, and the connection is as new. */
  done(again: boolean, nowMs: number): void;
  /** Drops the connection, and with it the exchange. */
  destroy(error: HeddleError): void;
}

/** One request on a client connection, from its first byte to the last of its answer. */
export class ClientExchange implements BodySource, BodyWriterOwner {
  readonly #connection: ExchangeConnection;
  readonly #request: HttpRequest;
  readonly #call: Call;
  #framing: RequestFraming = 'none';
  #writer: BodyWriter | undefined;
  #waiting: Timer | undefined;
  #resolve: (response: HttpResponse) => void = nothing;
  #reject: (error: HeddleError) => void = nothing;
  #interim = 0;
  #answer: ResponseHead | undefined;
  #body: IncomingBody | undefined;
  #open = false;
  #tunnel = false;
  #sent = false;
  #over = false;

  constructor(connection: ExchangeConnection, request: HttpRequest, call: Call) {
    this.#connection = connection;
    this.#request = request;
    this.#call = call;
  }

  run(): Promise<HttpResponse> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      try {
        this.#send();
      } catch (thrown) {
        // Nothing has been written: the connection is as it was.
        this.#over = true;
        this.#request.body.cancel();
        this.#connection.done(true, this.#connection.runtime.clock.nowMs());
        reject(HeddleError.from(thrown));
        return;
      }
      this.#call.onCancel(this.#cancelled);
    });
  }

  readonly #cancelled = (error: HeddleError): void => {
    if (!this.#over) this.#connection.destroy(error);
  };

  #send(): void {
    const { outbox } = this.#connection;
    const request = this.#request;
    const framing = planRequest(request);
    const expects = request.fields.get('expect')?.toLowerCase() === '100-continue';
    const hold = expects && (framing === 'length' || framing === 'chunked') && request.body.size !== 0;
    const head = writeRequestHead(request, framing, hold);
    this.#framing = framing;
    this.#sent = framing === 'none' || head.withBody;
    outbox.cork();
    outbox.write(head.bytes);
    if (hold)
      this.#waiting = this.#connection.runtime.timers.after(this.#connection.limits.continueMs, () =>
        this.#sendBody(),
      );
    else if (!this.#sent && framing !== 'tunnel') this.#sendBody();
    outbox.uncork();
  }

  #sendBody(): void {
    this.#stopWaiting();
    const framing: Framing = this.#framing === 'tunnel' ? 'open' : (this.#framing as Framing);
    this.#writer = new BodyWriter(this.#connection.outbox, this, this.#request.body, framing);
    this.#writer.start();
  }

  #stopWaiting(): void {
    this.#waiting?.cancel();
    this.#waiting = undefined;
  }

  // What the connection tells.

  /** A head has come, in `chunk` up to `at`. The position after what was taken of what follows. */
  head(answer: ResponseHead, chunk: Uint8Array, at: number): number {
    const { status } = answer;
    if (status < 200 && status !== 101) {
      this.#interimHead(status);
      return at;
    }
    const { method, protocol } = this.#request;
    this.#checkSwitch(answer);
    this.#answer = answer;
    // Not asked to send the content: it is left unsent, and so the connection is of no more use.
    if (this.#waiting !== undefined) this.#stopWaiting();
    if (isTunnel(status, { method, protocol })) {
      this.#openTunnel(answer);
    } else if (hasNoContent(method, status) || (answer.head.contentLength === 0 && !answer.head.chunked)) {
      this.#describeLength(answer);
      this.#settle(answer, emptyBody);
      this.#answerOver(at === chunk.byteLength);
    } else if (!answer.head.chunked && isWithin(answer.head.contentLength, chunk, at)) {
      return this.#wholeAnswer(answer, chunk, at);
    } else {
      this.#readBody(answer);
    }
    return at;
  }

  /**
   * Content that came along with its head, all of it: the usual small answer. It is handed over as a whole, so that
   * who passes it on writes it with the head, without a stream in between (a fifth of the cost of a proxied request).
   */
  #wholeAnswer(answer: ResponseHead, chunk: Uint8Array, at: number): number {
    const { contentLength } = answer.head;
    checkLength(contentLength, this.#connection.limits);
    const end = at + contentLength;
    const last = end === chunk.byteLength;
    // With more behind it, the chunk is not ours alone.
    const body = last
      ? new ReceivedBody(this.#connection.lender, chunk, at)
      : wholeBody(chunk.subarray(at, end));
    this.#settle(answer, body);
    this.#answerOver(last);
    return end;
  }

  answerComplete(trailers: Fields | undefined, last: boolean): void {
    this.#body?.finish(trailers);
    this.#answerOver(last);
  }

  /** The server has finished sending. True if that may be the end of the answer, or one end of a tunnel. */
  endsWithConnection(): boolean {
    if (!this.#open) return false;
    this.#body?.finish();
    if (this.#tunnel && !this.#sent) return true;
    this.#answerOver(false);
    return true;
  }

  drained(): void {
    this.#writer?.drained();
  }

  /** The connection is lost to this exchange. */
  broke(error: HeddleError): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopWaiting();
    this.#writer?.abort(error);
    if (this.#writer === undefined) this.#request.body.cancel(error);
    if (this.#body === undefined) {
      this.#reject(error);
    } else {
      this.#body.fail(error);
      this.#call.end(error);
    }
  }

  // What the body of the answer tells.

  wanted(): void {}

  consumed(): void {
    this.#connection.resumeInput();
  }

  release(chunk: Uint8Array): void {
    this.#connection.lender.giveBack(chunk);
  }

  abandoned(error: HeddleError): void {
    this.#connection.destroy(error);
  }

  // What the body of the request tells.

  bodyWritten(): void {
    this.#sent = true;
    if (!this.#tunnel) return;
    this.#connection.endSending();
    if (this.#body?.complete === true) this.#answerOver(false);
  }

  bodyBroke(error: HeddleError): void {
    // Half a request has gone; only closing tells the server that the rest will not come.
    this.#connection.destroy(error);
  }

  #interimHead(status: number): void {
    if (++this.#interim > this.#connection.limits.interimCount) {
      throw refusal(
        'BAD_STATUS_LINE',
        `there are more than ${this.#connection.limits.interimCount} interim answers`,
      );
    }
    if (status === 100 && this.#waiting !== undefined) this.#sendBody();
  }

  /** 101 is an answer only to who asked, and to what was asked (RFC 9110 section 15.2.2). */
  #checkSwitch({ status, head }: ResponseHead): void {
    if (status !== 101) return;
    const { protocol } = this.#request;
    if (protocol === undefined) throw refusal('BAD_UPGRADE', 'the answer 101 was not asked for');
    if (head.upgrade?.toLowerCase() !== protocol.toLowerCase()) {
      throw refusal('BAD_UPGRADE', 'the answer 101 names another protocol than was asked for');
    }
  }

  #openTunnel(answer: ResponseHead): void {
    this.#tunnel = true;
    this.#open = true;
    this.#body = new IncomingBody(this, undefined);
    this.#connection.readInto(this.#body, openDecoder());
    this.#settle(answer, this.#body);
    this.#sendBody();
  }

  #readBody(answer: ResponseHead): void {
    const { limits } = this.#connection;
    const { chunked, contentLength } = answer.head;
    let decoder: BodyDecoder;
    if (chunked) decoder = new ChunkDecoder(limits);
    else if (contentLength !== NO_LENGTH) decoder = lengthDecoder(contentLength, limits);
    else {
      decoder = openDecoder();
      this.#open = true;
    }
    this.#body = new IncomingBody(this, contentLength === NO_LENGTH ? undefined : contentLength);
    this.#connection.readInto(this.#body, decoder);
    this.#settle(answer, this.#body);
  }

  /** With HEAD and 304 the length describes what is not sent: a field like any other. */
  #describeLength({ status, head }: ResponseHead): void {
    if (head.contentLength === NO_LENGTH || (this.#request.method !== 'HEAD' && status !== 304)) return;
    head.fields.append('content-length', String(head.contentLength));
  }

  #settle(answer: ResponseHead, body: Body): void {
    this.#call.deferEnd();
    this.#resolve({ status: answer.status, fields: answer.head.fields, body });
  }

  #answerOver(last: boolean): void {
    if (this.#over) return;
    this.#over = true;
    const again = this.#sent && last && !this.#open && this.#answer?.persistent === true && this.#isClean();
    if (!this.#sent) this.#stopSending();
    this.#connection.done(again, endNow(this.#call));
  }

  /** An answer without content that speaks of content anyway may have some behind it. */
  #isClean(): boolean {
    const answer = this.#answer as ResponseHead;
    if (answer.status !== 204) return true;
    return !answer.head.chunked && answer.head.contentLength <= 0;
  }

  #stopSending(): void {
    const error = new HeddleError({
      code: 'aborted',
      reason: 'ANSWERED_EARLY',
      message: 'the upstream has answered without taking the rest of the request',
    });
    this.#writer?.abort(error);
    if (this.#writer === undefined) this.#request.body.cancel(error);
  }
}

function isWithin(contentLength: number, chunk: Uint8Array, at: number): boolean {
  return contentLength !== NO_LENGTH && contentLength <= chunk.byteLength - at;
}

function nothing(): void {}
