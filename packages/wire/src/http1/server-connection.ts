import { type Connection, type ConnectionHandler, HeddleError } from '@heddle/kernel';
import type { Peer } from '../message/http.ts';
import type { IncomingBody } from '../message/incoming-body.ts';
import type { Sweepable } from '../sweep.ts';
import { type BodyDecoder, openDecoder } from './body-decoder.ts';
import { headWriter } from './head-writer.ts';
import { MORE } from './head-reader.ts';
import { Outbox } from './outbox.ts';
import { statusLine } from './reason-phrase.ts';
import { refusal, refusalStatus } from './refusal.ts';
import { RequestHeadReader } from './request-head.ts';
import { type ExchangeConnection, type ExchangeServer, ServerExchange } from './server-exchange.ts';

/**
 * What the connection is waiting for.
 * `head`: the next request. `body`: the rest of a request's content. `answer`: the request has come, its answer is in
 * the making. `tunnel`: bytes of another protocol. `linger`: nothing that matters; what comes is thrown away.
 */
type Phase = 'head' | 'body' | 'answer' | 'tunnel' | 'linger' | 'closed';

const never = Number.POSITIVE_INFINITY;

/** The server that a connection belongs to. */
export interface ConnectionServer extends ExchangeServer {
  /** A request was refused for this reason, one of a fixed few. */
  refused(reason: string): void;
  /** The connection is closed. */
  forget(connection: ServerConnection): void;
}

/**
 * One connection of a server, one exchange at a time. The next request of a pipeline is not looked at before the
 * answer to the last has been written, so answers are in order and a peer has one piece of work in hand.
 */
export class ServerConnection implements ConnectionHandler, ExchangeConnection, Sweepable {
  readonly server: ConnectionServer;
  readonly outbox: Outbox;
  readonly peer: Peer;
  readonly #connection: Connection;
  readonly #reader: RequestHeadReader;
  #phase: Phase = 'head';
  #exchange: ServerExchange | undefined;
  #body: IncomingBody | undefined;
  #decoder: BodyDecoder | undefined;
  /** Bytes that came before their turn. */
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #paused = false;
  #gathering = false;
  #peerEnded = false;
  #sentEnd = false;
  #deadlineMs: number;
  #pendingBytes = 0;
  #pendingSinceMs = 0;

  constructor(server: ConnectionServer, connection: Connection) {
    this.server = server;
    this.outbox = new Outbox(connection, server.runtime.timers);
    this.peer = { address: connection.remote, tls: connection.tls };
    this.#connection = connection;
    this.#reader = new RequestHeadReader(server.limits, connection.tls === undefined ? 'http' : 'https');
    this.#deadlineMs = this.#nowMs() + server.limits.headMs;
  }

  data(chunk: Uint8Array): void {
    if (this.#phase === 'linger' || this.#phase === 'closed') return;
    if (this.#phase === 'answer' || this.#earlyBytes > 0) {
      this.#keep(chunk);
      return;
    }
    this.#consume(chunk);
  }

  /** The peer has finished sending. What it has asked is still answered, but nobody may be waiting for it. */
  end(): void {
    this.#peerEnded = true;
    if (this.#phase === 'head' || this.#phase === 'linger') {
      this.#linger();
    } else if (this.#phase === 'tunnel') {
      this.#exchange?.tunnelEnded();
    } else {
      const error = peerLeft();
      this.#body?.fail(error);
      this.#exchange?.peerLeft(error);
    }
  }

  drain(): void {
    this.outbox.drained();
    this.#exchange?.drained();
  }

  close(error: Error | undefined): void {
    this.#phase = 'closed';
    this.#early = [];
    this.server.forget(this);
    const gone = peerLeft(error);
    this.#body?.fail(gone);
    this.#exchange?.connectionClosed(gone);
  }

  sweep(nowMs: number): void {
    const { pendingBytes } = this.#connection;
    if (pendingBytes === 0 || pendingBytes !== this.#pendingBytes) this.#pendingSinceMs = nowMs;
    this.#pendingBytes = pendingBytes;
    if (nowMs - this.#pendingSinceMs > this.server.limits.writeIdleMs) {
      this.server.refused('ANSWER_NOT_READ');
      this.#connection.destroy();
    } else if (nowMs > this.#deadlineMs) this.#tooSlow();
  }

  giveBack(chunk: Uint8Array): void {
    this.#connection.giveBack(chunk);
  }

  /** For `drain` of the server. */
  closeWhenIdle(): void {
    if (this.#phase === 'head' && !this.#reader.started) this.#linger();
  }

  destroy(): void {
    this.#connection.destroy();
  }

  resumeInput(): void {
    if (!this.#paused || this.#phase === 'answer') return;
    if ((this.#body?.bufferedBytes ?? 0) > this.server.limits.bufferBytes / 2) return;
    this.#paused = false;
    this.#allowBody();
    this.#connection.resume();
  }

  openTunnel(body: IncomingBody): void {
    this.#phase = 'tunnel';
    this.#decoder = openDecoder();
    this.#body = body;
    this.#deadlineMs = never;
    this.#consumeEarly();
    if (this.#peerEnded) this.#exchange?.tunnelEnded();
  }

  endTunnel(): void {
    this.#finishSending();
    this.#deadlineMs = this.#nowMs() + this.server.limits.bodyIdleMs;
  }

  answered(again: boolean, nowMs: number): void {
    this.#exchange = undefined;
    this.#body = undefined;
    this.#decoder = undefined;
    if (this.#phase === 'closed') return;
    if (!again) {
      this.#linger();
      return;
    }
    this.#phase = 'head';
    this.#deadlineMs = nowMs + this.server.limits.idleMs;
    if (this.#earlyBytes > 0) {
      this.#gatherAnswers();
      this.#consumeEarly();
    }
    if (this.#phase !== 'head' || this.#reader.started) return;
    if (this.#peerEnded) this.#linger();
    else if (this.server.draining) this.closeWhenIdle();
  }

  get requestComplete(): boolean {
    return this.#decoder === undefined || this.#decoder.complete;
  }

  abort(): void {
    this.#connection.destroy();
  }

  #consume(chunk: Uint8Array): void {
    try {
      let at = 0;
      while (at < chunk.byteLength) {
        if (this.#phase === 'head') {
          const after = this.#readHead(chunk, at);
          // The reader has a copy of what it needs, and nobody else has seen any of it.
          if (at === 0 && (after === MORE || after === chunk.byteLength)) this.#connection.giveBack(chunk);
          if (after === MORE) return;
          at = after;
        } else if (this.#phase === 'body' || this.#phase === 'tunnel') {
          at = this.#readBody(chunk, at);
        } else {
          if (this.#phase === 'answer') this.#keep(at === 0 ? chunk : chunk.subarray(at));
          return;
        }
      }
    } catch (thrown) {
      this.#refuse(HeddleError.from(thrown));
    }
  }

  #readHead(chunk: Uint8Array, at: number): number {
    const fresh = !this.#reader.started;
    const after = this.#reader.read(chunk, at);
    if (after === MORE) {
      if (fresh) this.#deadlineMs = this.#nowMs() + this.server.limits.headMs;
      return MORE;
    }
    const exchange = new ServerExchange(this, this.#reader.take());
    this.#exchange = exchange;
    this.#body = exchange.body;
    this.#decoder = exchange.decoder;
    this.#phase = this.#decoder === undefined ? 'answer' : 'body';
    if (this.#decoder === undefined) this.#deadlineMs = never;
    else this.#allowBody();
    exchange.run();
    return after;
  }

  #readBody(chunk: Uint8Array, at: number): number {
    const body = this.#body as IncomingBody;
    const decoder = this.#decoder as BodyDecoder;
    const after = decoder.decode(chunk, at, body);
    if (decoder.complete) {
      this.#phase = 'answer';
      this.#deadlineMs = never;
      body.finish(decoder.trailers);
    } else if (body.bufferedBytes > this.server.limits.bufferBytes) {
      this.#paused = true;
      this.#deadlineMs = never;
      this.#connection.pause();
    } else if (this.#phase === 'body') {
      this.#extendBody(after - at);
    }
    return after;
  }

  /** Content may be late by `bodyIdleMs`, and slow by `bodyBytesPerSecond` on top; waiting for our reader is free. */
  #allowBody(): void {
    this.#deadlineMs = this.#phase === 'tunnel' ? never : this.#nowMs() + this.server.limits.bodyIdleMs;
  }

  #extendBody(bytes: number): void {
    const { bodyIdleMs, bodyBytesPerSecond } = this.server.limits;
    const earnedMs = bodyBytesPerSecond > 0 ? (bytes * 1000) / bodyBytesPerSecond : never;
    this.#deadlineMs = Math.min(this.#nowMs() + bodyIdleMs, this.#deadlineMs + earnedMs);
  }

  #keep(chunk: Uint8Array): void {
    this.#early.push(chunk);
    this.#earlyBytes += chunk.byteLength;
    if (this.#earlyBytes <= this.server.limits.pipelineBytes || this.#paused) return;
    this.#paused = true;
    this.#connection.pause();
  }

  /** Goes through what came early. */
  #consumeEarly(): void {
    const early = this.#early;
    this.#early = [];
    this.#earlyBytes = 0;
    if (this.#paused) {
      this.#paused = false;
      this.#connection.resume();
    }
    for (const chunk of early) {
      if (this.#phase === 'answer' || this.#earlyBytes > 0) this.#keep(chunk);
      else this.#consume(chunk);
    }
  }

  /** Answers that a pipeline gets within this turn leave in one write. */
  #gatherAnswers(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.outbox.cork();
    this.server.runtime.timers.soon(this.#sendAnswers);
  }

  readonly #sendAnswers = (): void => {
    this.#gathering = false;
    this.outbox.uncork();
  };

  #refuse(error: HeddleError): void {
    this.server.refused(error.reason);
    const exchange = this.#exchange;
    if (exchange === undefined) {
      this.#writeRefusal(error);
      return;
    }
    // The head was good, so the service has been called: it learns of it from the body.
    this.#deadlineMs = never;
    this.#phase = 'linger';
    this.#body?.fail(error);
    exchange.requestBroke(error);
  }

  /** For the exchange too: an answer of the engine's own, after which the connection closes. */
  #writeRefusal(error: HeddleError): void {
    // Only a mistake of our own is not a refusal.
    const status = refusalStatus(error) ?? 500;
    headWriter.begin();
    headWriter.bytes(statusLine(status));
    headWriter.bytes(this.server.dateLine());
    headWriter.text(`content-type: text/plain\r\ncontent-length: ${error.reason.length + 1}\r\n`);
    headWriter.text(`connection: close\r\n\r\n${error.reason}\n`);
    this.outbox.write(headWriter.take());
    this.#linger();
  }

  #tooSlow(): void {
    this.#deadlineMs = never;
    if (this.#phase === 'linger' || this.#phase === 'tunnel') this.#connection.destroy();
    else if (this.#phase === 'head' && !this.#reader.started) this.#linger();
    else this.#refuse(refusal('REQUEST_TIMEOUT', 'the request took too long to come'));
  }

  #finishSending(): void {
    if (this.#sentEnd) return;
    this.#sentEnd = true;
    this.outbox.end();
  }

  /**
   * Closes so that the peer can read the last answer: sending ends, and what still comes is thrown away for a while.
   * Closing at once would answer that with a reset, which may overtake the answer (RFC 9112 section 9.6).
   */
  #linger(): void {
    this.#phase = 'linger';
    this.#early = [];
    this.#earlyBytes = 0;
    this.#finishSending();
    if (this.#peerEnded && this.outbox.empty) {
      this.#connection.destroy();
      return;
    }
    this.#deadlineMs = this.#nowMs() + this.server.limits.lingerMs;
    if (this.#paused) this.#connection.resume();
    this.#paused = false;
  }

  #nowMs(): number {
    return this.server.runtime.clock.nowMs();
  }
}

function peerLeft(cause?: Error): HeddleError {
  const message = 'the client closed the connection before the exchange was over';
  return new HeddleError({ code: 'cancelled', reason: 'PEER_LEFT', message, cause });
}
