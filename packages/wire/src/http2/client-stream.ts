import { type Call, HeddleError } from '@heddle/kernel';
import { type Body, wholeBytes } from '../message/body.ts';
import type { HttpRequest, HttpResponse } from '../message/http.ts';
import { type ErrorCode, errorCode, StreamFault } from './error-code.ts';
import type { Link } from './link.ts';
import type { MessageHead } from './message-head.ts';
import { Http2Stream } from './stream.ts';
import { errorOfReset, resetCodeOf } from './stream-error.ts';

/** One request that we have sent, and its answer. */
export class ClientStream extends Http2Stream {
  /** Settles when the answer's head has come. */
  readonly response: Promise<HttpResponse>;

  readonly #call: Call;
  readonly #method: string;
  // How much had been written to the connection when the request's head was part of it.
  readonly #writtenAt: number;
  #resolve: (response: HttpResponse) => void = nothing;
  #reject: (error: HeddleError) => void = nothing;
  #status = 0;
  #fields: HttpResponse['fields'] | undefined;
  #informational = 0;

  /** The request's head was just written. */
  constructor(link: Link, id: number, request: HttpRequest, call: Call) {
    super(link, id);
    this.#call = call;
    this.#method = request.method;
    this.#writtenAt = link.output.written;
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    call.onCancel((error) => this.reset(resetCodeOf(error), error));
  }

  /** A header section of the answer: informational, final, or trailers. Throws `StreamFault`. */
  headReceived(head: MessageHead, endStream: boolean): void {
    if (head.tooLarge) this.#fault(errorCode.enhanceYourCalm, 'the fields of the response are too large');
    if (head.problem !== undefined) this.#fault(errorCode.protocolError, head.problem);
    if (this.headSeen) {
      if (!endStream) this.#fault(errorCode.protocolError, 'a second header section');
      if (head.pseudo) this.#fault(errorCode.protocolError, 'a pseudo-field in trailers');
      this.receive.end(head.takeFields());
      this.receiveEnded();
      return;
    }
    const status = this.#statusOf(head);
    if (status < 200) {
      this.#countInformational(endStream);
      return;
    }
    this.#finalHead(head, status, endStream);
  }

  /** Gives the answer to the caller, when the chunk that its head came in has been read. */
  handOver(): void {
    if (this.receive.taken || this.#fields === undefined) return;
    const body = this.receive.take();
    // Otherwise the caller ends the call, as soon as the promise resolves.
    if (wholeBytes(body) === undefined) this.#call.deferEnd();
    this.#resolve({ status: this.#status, fields: this.#fields, body });
  }

  /** The peer has reset the stream. */
  resetReceived(code: ErrorCode): void {
    // The answer is complete and the rest of the request not wanted (RFC 9113 section 8.1): no failure.
    if (code === errorCode.noError && this.receive.ended) {
      this.send.stop(errorOfReset(code));
      this.finish();
      return;
    }
    // The server's timer for our deadline may fire before ours does (grpc-go's `handleRSTStream` has the same rule).
    const late = code === errorCode.cancel && this.#call.remainingMs() <= 0;
    this.fail(late ? deadlinePassed() : errorOfReset(code));
  }

  /** Whether the request got away before is for the output to say. */
  override lost(error: HeddleError): void {
    const sent = this.link.output.flushed >= this.#writtenAt;
    this.fail(sent ? error : error.with({ sent: false }));
  }

  override receiveEnded(): void {
    // The answer is complete: a server that wants no more of the request need not say so.
    if (!this.send.ended && this.#method !== 'CONNECT') {
      this.link.sendReset(this.id, errorCode.cancel);
      this.send.stop(answered());
    }
    super.receiveEnded();
  }

  override contentAbandoned(error: HeddleError): void {
    this.reset(errorCode.cancel, error);
  }

  protected override ended(error: HeddleError | undefined): void {
    if (error !== undefined) {
      this.#reject(error);
      // After a response, nobody else would.
      if (this.receive.taken) this.#call.end(error);
      return;
    }
    this.handOver();
    if (this.#call.endDeferred) this.#call.end();
  }

  #finalHead(head: MessageHead, status: number, endStream: boolean): void {
    this.headSeen = true;
    this.#status = status;
    const bodiless = this.#method === 'HEAD' || status === 204 || status === 304;
    const { contentLength } = head;
    this.#fields = head.takeFields();
    // What GET would have said is news, and no framing.
    if (bodiless && contentLength !== undefined) this.#fields.append('content-length', String(contentLength));
    if (!bodiless) this.receive.expected = contentLength;
    if (!endStream) return;
    this.receive.end(undefined);
    this.receiveEnded();
  }

  #statusOf(head: MessageHead): number {
    const { status } = head;
    const requestField = head.method ?? head.path ?? head.scheme ?? head.authority ?? head.protocol;
    // Of nearly every answer.
    if (status === '200' && requestField === undefined) return 200;
    if (status === undefined || requestField !== undefined || !/^[1-9][0-9][0-9]$/.test(status)) {
      this.#fault(errorCode.protocolError, 'no valid :status');
    }
    if (status === '101') this.#fault(errorCode.protocolError, '101 is not part of HTTP/2');
    // A client takes a status beyond 599 for some error of the server's (RFC 9110 section 15).
    return status < '600' ? Number(status) : 500;
  }

  #countInformational(endStream: boolean): void {
    this.#informational++;
    if (endStream) this.#fault(errorCode.protocolError, 'an informational answer ends the stream');
    if (this.#informational > this.link.limits.maxInformational) {
      this.#fault(errorCode.enhanceYourCalm, 'too many informational answers');
    }
  }

  #fault(code: ErrorCode, message: string): never {
    throw new StreamFault(this.id, code, message);
  }
}

/** The pseudo-fields, and a content-length where there is one to tell. */
export function requestSpecial(request: HttpRequest): string[] {
  const { method, scheme, authority, path, protocol, body } = request;
  const special = [':method', method];
  if (protocol !== undefined) special.push(':protocol', protocol);
  if (method !== 'CONNECT' || protocol !== undefined) special.push(':scheme', scheme, ':path', path);
  special.push(':authority', authority);
  if (hasLength(body) && method !== 'CONNECT') special.push('content-length', String(body.size));
  return special;
}

function hasLength(body: Body): boolean {
  return body.size !== undefined && body.size > 0 && body.trailers === undefined;
}

function nothing(): void {}

function answered(): HeddleError {
  const message = 'the response was complete before the request was';
  return new HeddleError({ code: 'cancelled', reason: 'RESPONSE_COMPLETE', message });
}

function deadlinePassed(): HeddleError {
  const message = 'the deadline has passed, and the server has reset the stream';
  return new HeddleError({ code: 'deadline_exceeded', reason: 'DEADLINE_EXCEEDED', message });
}
