import { Call, HeddleError, type Runtime } from '@heddle/kernel';
import { type Body, emptyBody, wholeBody } from '../message/body.ts';
import { Fields } from '../message/fields.ts';
import { type HttpRequest, type HttpResponse, type HttpService, type Peer, peer } from '../message/http.ts';
import { type BodySource, IncomingBody } from '../message/incoming-body.ts';
import { statusOfCode } from '../message/status-of-code.ts';
import { type BodyDecoder, lengthDecoder } from './body-decoder.ts';
import { BodyWriter, type BodyWriterOwner } from './body-writer.ts';
import { ChunkDecoder } from './chunk-decoder.ts';
import { endNow } from './end-now.ts';
import type { Outbox } from './outbox.ts';
import { refusalStatus } from './refusal.ts';
import type { RequestHead } from './request-head.ts';
import type { Http1ServerLimits } from './server-limits.ts';
import { type Answered, planResponse, type ResponsePlan, writeResponseHead } from './write-response.ts';

const continueLine = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n');

/** What all connections of a server share, as far as an exchange is concerned. */
export interface ExchangeServer {
  readonly service: HttpService;
  readonly runtime: Runtime;
  readonly limits: Http1ServerLimits;
  /** True once no connection may be kept alive. */
  readonly draining: boolean;
  /** The line of the Date field (RFC 9110 section 6.6.1), good for this second. */
  readonly dateLine: () => Uint8Array;
}

/** The connection that an exchange is on. */
export interface ExchangeConnection {
  readonly server: ExchangeServer;
  readonly outbox: Outbox;
  readonly peer: Peer;
  /** True once the request's content has come to its end. */
  readonly requestComplete: boolean;
  /** The memory of a chunk of content may be used again. */
  giveBack(chunk: Uint8Array): void;
  /** A reader has room again. */
  resumeInput(): void;
  /** What follows is not HTTP any more but the bytes of a tunnel, which go to `body`. */
  openTunnel(body: IncomingBody): void;
  /** No more is sent into the tunnel; it is over when the peer has finished too, which is awaited. */
  endTunnel(): void;
  /** The answer has been written, at `nowMs`. `again`: another request may follow. */
  answered(again: boolean, nowMs: number): void;
  /** The message cannot be finished, and its receiver must see that. */
  abort(): void;
}

/** One request on a server connection, from its head to the last byte of its answer. */
export class ServerExchange implements BodySource, BodyWriterOwner {
  /** The request's content while it comes; undefined if there is none. */
  readonly body: IncomingBody | undefined;
  readonly decoder: BodyDecoder | undefined;
  readonly #connection: ExchangeConnection;
  readonly #head: RequestHead;
  readonly #answered: Answered;
  readonly #call: Call;
  /** The client's half of a tunnel, if there may be one. */
  readonly #tunnel: IncomingBody | undefined;
  #plan: ResponsePlan | undefined;
  #writer: BodyWriter | undefined;
  #mustContinue: boolean;
  #broke: HeddleError | undefined;
  #written = false;
  #finished = false;

  constructor(connection: ExchangeConnection, head: RequestHead) {
    this.#connection = connection;
    this.#head = head;
    const { limits, runtime } = connection.server;
    const { chunked, contentLength, upgrade } = head.head;
    if (chunked) this.decoder = new ChunkDecoder(limits);
    else if (contentLength > 0) this.decoder = lengthDecoder(contentLength, limits);
    if (this.decoder !== undefined) this.body = new IncomingBody(this, chunked ? undefined : contentLength);
    const connect = head.method === 'CONNECT';
    // An upgrade of a request with content is passed over: whose bytes are whose would be hard to say.
    const protocol = this.body === undefined && !connect ? upgrade : undefined;
    this.#tunnel = connect || protocol !== undefined ? new IncomingBody(this, undefined) : undefined;
    this.#answered = { method: head.method, http11: head.http11, protocol };
    this.#mustContinue = head.expectsContinue;
    this.#call = Call.root(runtime).set(peer, connection.peer);
  }

  /** Calls the service; the answer is written when it comes. */
  run(): void {
    let pending: Promise<HttpResponse>;
    try {
      pending = this.#connection.server.service(this.#request(), this.#call);
    } catch (mistake) {
      // No service should throw; but the client is to get an answer.
      pending = Promise.reject(HeddleError.from(mistake));
    }
    void pending.then(
      (response) => this.#respond(response),
      (thrown: unknown) => this.#respond(errorResponse(HeddleError.from(thrown))),
    );
  }

  #request(): HttpRequest {
    const { method, scheme, authority, path, head } = this.#head;
    const body: Body = this.body ?? this.#tunnel ?? emptyBody;
    const { protocol } = this.#answered;
    const { fields } = head;
    if (protocol === undefined) return { method, scheme, authority, path, fields, body };
    return { method, scheme, authority, path, fields, body, protocol };
  }

  #respond(response: HttpResponse): void {
    // Too late: the client is gone, or has been told of a mistake in its content.
    if (this.#finished || this.#plan !== undefined) {
      response.body.cancel(this.#broke);
      return;
    }
    const answer =
      this.#broke !== undefined && refusalStatus(this.#broke) !== undefined
        ? this.#refused(response)
        : response;
    try {
      this.#write(answer);
    } catch (thrown) {
      answer.body.cancel();
      const error = HeddleError.from(thrown);
      const { log } = this.#connection.server.runtime;
      log('error', 'an answer could not be written', { reason: error.reason, error: error.message });
      this.#write(errorResponse(error.with({ code: 'internal' })));
    }
  }

  /** The content broke a rule before the answer began: whatever the service says, the peer hears of that. */
  #refused(response: HttpResponse): HttpResponse {
    response.body.cancel(this.#broke);
    return errorResponse(this.#broke as HeddleError);
  }

  #write(response: HttpResponse): void {
    const { outbox, server } = this.#connection;
    const plan = planResponse(response, this.#answered, this.#mustClose(response));
    const head = writeResponseHead(response, plan, this.#answered, server.dateLine);
    this.#plan = plan;
    if (head.withBody) {
      outbox.write(head.bytes);
      this.bodyWritten();
    } else if (plan.framing === 'none') {
      response.body.cancel();
      outbox.write(head.bytes);
      this.bodyWritten();
    } else {
      outbox.cork();
      outbox.write(head.bytes);
      const framing = plan.framing === 'tunnel' ? 'open' : plan.framing;
      this.#writer = new BodyWriter(outbox, this, response.body, framing);
      if (plan.framing === 'tunnel') this.#connection.openTunnel(this.#tunnel as IncomingBody);
      this.#writer.start();
      outbox.uncork();
    }
  }

  /** RFC 9112 section 9.3, and: a request whose content nobody reads ends its connection. */
  #mustClose(response: HttpResponse): boolean {
    if (!this.#head.persistent || this.#connection.server.draining || this.#broke !== undefined) return true;
    if (this.#head.method === 'CONNECT' || this.#mustContinue) return true;
    const isRead = this.body?.read === true || this.body === response.body;
    return !this.#connection.requestComplete && !isRead;
  }

  // What the connection tells.

  /** The client has finished sending, and most likely does not wait any more. */
  peerLeft(error: HeddleError): void {
    if (!this.#written) this.#call.cancel(error);
  }

  connectionClosed(error: HeddleError): void {
    if (this.#finished) return;
    this.#broke ??= error;
    this.#finished = true;
    this.#call.cancel(this.#broke);
    this.#tunnel?.fail(error);
    this.#writer?.abort(error);
    this.#call.end(this.#broke);
  }

  /** The request's content cannot be read on. */
  requestBroke(error: HeddleError): void {
    this.#broke ??= error;
    if (this.#plan === undefined) {
      this.#call.cancel(error);
      // The service may take its time to let go; the peer is told at once.
      this.#respond(errorResponse(error));
      return;
    }
    this.#connection.abort();
  }

  /** The client sends nothing more into the tunnel. */
  tunnelEnded(): void {
    this.#tunnel?.finish();
    if (this.#written) this.#finish();
  }

  drained(): void {
    this.#writer?.drained();
    if (this.#written && this.#connection.outbox.empty) this.#finish();
  }

  // What the request's body tells.

  wanted(): void {
    if (!this.#mustContinue || this.#plan !== undefined) return;
    this.#mustContinue = false;
    this.#connection.outbox.write(continueLine);
  }

  consumed(): void {
    this.#connection.resumeInput();
  }

  release(chunk: Uint8Array): void {
    this.#connection.giveBack(chunk);
  }

  abandoned(): void {
    this.#connection.resumeInput();
  }

  // What the response's body tells.

  bodyWritten(): void {
    this.#written = true;
    if (this.#plan?.framing === 'tunnel') {
      this.#connection.endTunnel();
      if (this.#tunnel?.complete === true) this.#finish();
      return;
    }
    if (!this.#connection.outbox.blocked) this.#finish();
  }

  bodyBroke(error: HeddleError): void {
    this.#broke ??= error;
    this.#connection.abort();
  }

  /** The answer is out. */
  #finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    // Content that is still to come would have to be taken in before the next request; closing is cheaper.
    const again =
      this.#plan?.close === false && this.#broke === undefined && this.#connection.requestComplete;
    this.body?.cancel();
    this.#tunnel?.finish();
    this.#connection.answered(again, endNow(this.#call, this.#broke));
  }
}

/** The engine's own answer for an error. Only the stable reason is told; the text may hold what is not for outsiders. */
function errorResponse(error: HeddleError): HttpResponse {
  const status = refusalStatus(error) ?? statusOfCode(error.code);
  const body = wholeBody(Buffer.from(`${error.reason}\n`));
  return { status, fields: Fields.of({ 'content-type': 'text/plain' }), body };
}
