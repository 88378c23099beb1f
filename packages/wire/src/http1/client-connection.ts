import {
  type Call,
  type Connection,
  type ConnectionHandler,
  HeddleError,
  type Runtime,
} from '@heddle/kernel';
import type { HttpRequest, HttpResponse } from '../message/http.ts';
import type { IncomingBody } from '../message/incoming-body.ts';
import { asConnected, asUpgrade } from '../message/web-socket.ts';
import type { Sweepable } from '../sweep.ts';
import type { BodyDecoder } from './body-decoder.ts';
import { ClientExchange, type ExchangeConnection } from './client-exchange.ts';
import type { Http1ClientLimits } from './client-limits.ts';
import { MORE } from './head-reader.ts';
import { Outbox } from './outbox.ts';
import { ResponseHeadReader } from './response-head.ts';

/** Who lends the connection out. */
export interface ClientConnectionOwner {
  /** The exchange is over, at `nowMs`, and another may follow. */
  free(connection: ClientConnection, nowMs: number): void;
  /** It cannot be used any more. Once, last. */
  gone(connection: ClientConnection): void;
}

const never = Number.POSITIVE_INFINITY;

/** One connection of a client: one exchange at a time, and idle in between. */
export class ClientConnection implements ConnectionHandler, ExchangeConnection, Sweepable {
  readonly outbox: Outbox;
  readonly limits: Http1ClientLimits;
  readonly runtime: Runtime;
  readonly lender: Connection;
  /** Exchanges begun on it. */
  exchanges = 0;
  readonly #owner: ClientConnectionOwner;
  readonly #connection: Connection;
  readonly #reader: ResponseHeadReader;
  #exchange: ClientExchange | undefined;
  #body: IncomingBody | undefined;
  #decoder: BodyDecoder | undefined;
  #usable = true;
  #paused = false;
  #deadlineMs = never;
  #pendingBytes = 0;
  #pendingSinceMs = 0;

  constructor(
    runtime: Runtime,
    connection: Connection,
    limits: Http1ClientLimits,
    owner: ClientConnectionOwner,
  ) {
    this.runtime = runtime;
    this.limits = limits;
    this.outbox = new Outbox(connection, runtime.timers);
    this.#owner = owner;
    this.#connection = connection;
    this.lender = connection;
    this.#reader = new ResponseHeadReader(limits);
    this.#pendingSinceMs = runtime.clock.nowMs();
    connection.open(this);
  }

  /** True while an exchange may begin. */
  get usable(): boolean {
    return this.#usable && this.#exchange === undefined;
  }

  /** Sends the request. Only while `usable`. The connection hears of the call's cancel, and ends it with the answer. */
  exchange(request: HttpRequest, call: Call): Promise<HttpResponse> {
    this.exchanges++;
    if (request.protocol !== undefined && request.method === 'CONNECT') return this.#upgrade(request, call);
    const exchange = new ClientExchange(this, request, call);
    this.#exchange = exchange;
    return exchange.run();
  }

  /** What came as an extended CONNECT is asked for in HTTP/1.1's own way. */
  #upgrade(request: HttpRequest, call: Call): Promise<HttpResponse> {
    const asked = asUpgrade(request, this.runtime.random);
    const exchange = new ClientExchange(this, asked, call);
    this.#exchange = exchange;
    return exchange.run().then((response) => asConnected(asked, response));
  }

  data(chunk: Uint8Array): void {
    // Bytes that nobody asked for: whatever they are, they must not become somebody's answer.
    if (this.#exchange === undefined) {
      this.destroy();
      return;
    }
    try {
      this.#consume(chunk);
    } catch (thrown) {
      const cause = HeddleError.from(thrown);
      const message = `the upstream's answer cannot be understood: ${cause.message}`;
      this.#fail(new HeddleError({ code: 'internal', reason: 'BAD_RESPONSE', message, cause }));
    }
  }

  end(): void {
    const exchange = this.#exchange;
    if (exchange === undefined || !exchange.endsWithConnection()) this.#fail(lost());
  }

  drain(): void {
    this.outbox.drained();
    this.#exchange?.drained();
  }

  close(error: Error | undefined): void {
    this.#fail(lost(error));
    this.#owner.gone(this);
  }

  sweep(nowMs: number): void {
    const { pendingBytes } = this.#connection;
    if (pendingBytes === 0 || pendingBytes !== this.#pendingBytes) this.#pendingSinceMs = nowMs;
    this.#pendingBytes = pendingBytes;
    const stuck = nowMs - this.#pendingSinceMs > this.limits.writeIdleMs;
    if (!stuck && nowMs <= this.#deadlineMs) return;
    const message = stuck
      ? 'the upstream takes nothing of the request'
      : 'the upstream sends nothing of its answer';
    this.#fail(new HeddleError({ code: 'unavailable', reason: 'UPSTREAM_STALLED', message }));
  }

  /** Drops the connection, and with it the exchange. */
  destroy(error?: HeddleError): void {
    this.#fail(error ?? lost());
  }

  readInto(body: IncomingBody, decoder: BodyDecoder): void {
    this.#body = body;
    this.#decoder = decoder;
  }

  resumeInput(): void {
    if (!this.#paused || (this.#body?.bufferedBytes ?? 0) > this.limits.bufferBytes / 2) return;
    this.#paused = false;
    this.#allowBody();
    this.#connection.resume();
  }

  endSending(): void {
    this.outbox.end();
  }

  done(again: boolean, nowMs: number): void {
    this.#exchange = undefined;
    this.#body = undefined;
    this.#decoder = undefined;
    this.#deadlineMs = never;
    if (again && this.#usable) this.#owner.free(this, nowMs);
    else this.#drop();
  }

  #consume(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.byteLength) {
      const exchange = this.#exchange;
      if (exchange === undefined) {
        // More than the answer: it stands, but what follows it is not trusted.
        this.#drop();
        return;
      }
      if (this.#decoder === undefined) {
        at = this.#reader.read(chunk, at);
        if (at === MORE) return;
        at = exchange.head(this.#reader.take(), chunk, at);
        // Otherwise what follows in this chunk is looked at first: mostly it is all there is.
        if (at === chunk.byteLength && this.#decoder !== undefined) this.#allowBody();
      } else {
        at = this.#readBody(this.#decoder, chunk, at, exchange);
      }
    }
  }

  #readBody(decoder: BodyDecoder, chunk: Uint8Array, at: number, exchange: ClientExchange): number {
    const body = this.#body as IncomingBody;
    const after = decoder.decode(chunk, at, body);
    if (decoder.complete) {
      exchange.answerComplete(decoder.trailers, after === chunk.byteLength);
    } else if (body.bufferedBytes > this.limits.bufferBytes) {
      this.#paused = true;
      this.#deadlineMs = never;
      this.#connection.pause();
    } else {
      this.#allowBody();
    }
    return after;
  }

  #allowBody(): void {
    const { bodyIdleMs } = this.limits;
    this.#deadlineMs = bodyIdleMs === never ? never : this.runtime.clock.nowMs() + bodyIdleMs;
  }

  #fail(error: HeddleError): void {
    this.#drop();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.broke(error);
  }

  #drop(): void {
    if (!this.#usable) return;
    this.#usable = false;
    this.#connection.destroy();
  }
}

function lost(cause?: Error): HeddleError {
  // The port knows that nothing was read of what was written: TLS refused us.
  if (cause instanceof HeddleError && !cause.sent) return cause;
  const message = 'the upstream closed the connection before its answer was complete';
  return new HeddleError({ code: 'unavailable', reason: 'CONNECTION_LOST', message, cause });
}
