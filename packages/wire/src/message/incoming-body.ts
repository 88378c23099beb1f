import { HeddleError } from '@heddle/kernel';
import { type Body, collect } from './body.ts';
import { ChunkQueue } from './chunk-queue.ts';
import type { Fields } from './fields.ts';

/** What feeds an `IncomingBody`: one stream of a codec. It is told what the reader does. */
export interface BodySource {
  /** Somebody has begun to read: where `Expect: 100-continue` waits, now is the time. At most once. */
  wanted(): void;
  /** The reader has taken that many bytes: flow control may let as many in. Also told for what is thrown away. */
  consumed(bytes: number): void;
  /** The memory of a chunk has been passed on and may be used again: nobody else has seen it. */
  release?(chunk: Uint8Array): void;
  /** The reader left before the end came. What is pushed from now on is thrown away. At most once. */
  abandoned(error: HeddleError): void;
}

/** Where an `IncomingBody` may pour itself without a promise per chunk: the writing half of another codec. */
export interface BodySink {
  /** True when nothing of what it was given is still on its way, so that the memory may be used again. */
  readonly idle?: boolean;
  /** Takes a chunk. False: enough for now, nothing comes until `IncomingBody.resume`. */
  data(chunk: Uint8Array): boolean;
  /** All has come. Once, last. */
  end(trailers: Fields | undefined): void;
  /** It broke off. Once, last. */
  fail(error: HeddleError): void;
}

interface WaitingReader {
  resolve(result: IteratorResult<Uint8Array, void>): void;
  reject(error: HeddleError): void;
}

const ended: IteratorReturnResult<void> = { done: true, value: undefined };

/**
 * The engine's own body: a codec pushes chunks in, one reader takes them out, by iterating or by `flow`.
 * To a reader who waits, chunks are passed on as the slices they came in, without a copy. The codec keeps the queue
 * short by not pushing while `bufferedBytes` is high, and goes on when it hears `consumed`.
 */
export class IncomingBody implements Body, AsyncIterableIterator<Uint8Array, void> {
  readonly size: number | undefined;
  readonly #source: BodySource;
  readonly #queue = new ChunkQueue();
  #claimed = false;
  #complete = false;
  #finished = false;
  #error: HeddleError | undefined;
  #trailers: Fields | undefined;
  #waiting: WaitingReader | undefined;
  #sink: BodySink | undefined;
  #sinkBlocked = false;

  /** `size` as announced; undefined where it is not known before the end. */
  constructor(source: BodySource, size: number | undefined) {
    this.#source = source;
    this.size = size;
  }

  /** Bytes pushed and not yet read. */
  get bufferedBytes(): number {
    return this.#queue.bytes;
  }

  /** True while there is a reader who has not left. */
  get read(): boolean {
    return this.#claimed && this.#error === undefined;
  }

  /** True once all bytes have been pushed. */
  get complete(): boolean {
    return this.#complete;
  }

  get trailers(): Fields | undefined {
    return this.#trailers;
  }

  /** For the codec: one more chunk, not empty. Thrown away if the reader has left. */
  push(chunk: Uint8Array): void {
    if (this.#error !== undefined) {
      this.#source.consumed(chunk.byteLength);
      return;
    }
    if (this.#sink !== undefined && !this.#sinkBlocked) {
      this.#pour(this.#sink, chunk);
      this.#source.consumed(chunk.byteLength);
      return;
    }
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve({ done: false, value: chunk });
      this.#source.consumed(chunk.byteLength);
      return;
    }
    this.#queue.push(chunk);
  }

  /** For the codec: that was all. */
  finish(trailers?: Fields): void {
    if (this.#complete || this.#error !== undefined) return;
    this.#complete = true;
    this.#trailers = trailers;
    this.#finishIfDrained();
  }

  /** For the codec: the exchange broke off. What was pushed before is still read, then reading rejects. */
  fail(error: HeddleError): void {
    if (this.#complete || this.#error !== undefined) return;
    this.#error = error;
    this.#finishIfDrained();
  }

  /** Pours everything into `sink`, now and as it comes. Instead of iterating; rejects a second reader the same way. */
  flow(sink: BodySink): void {
    this.#claim();
    this.#sink = sink;
    this.#pourQueue();
  }

  /** The sink has room again. */
  resume(): void {
    if (!this.#sinkBlocked) return;
    this.#sinkBlocked = false;
    this.#pourQueue();
  }

  async bytes(limit: number): Promise<Uint8Array> {
    const only = this.#queue.next;
    // The usual small message, all there in one piece: no promise per chunk.
    if (
      this.#complete &&
      !this.#claimed &&
      this.#queue.length === 1 &&
      only !== undefined &&
      only.length <= limit
    ) {
      this.#claim();
      this.#take();
      return only;
    }
    return collect(this, limit);
  }

  cancel(error: HeddleError = readerLeft()): void {
    if (this.#finished) return;
    const early = !this.#complete && this.#error === undefined;
    this.#error = error;
    this.#discardQueue();
    this.#finishIfDrained();
    if (early) this.#source.abandoned(error);
  }

  [Symbol.asyncIterator](): this {
    this.#claim();
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, void>> {
    if (this.#queue.length > 0) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#complete) return Promise.resolve(ended);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Uint8Array, void>> {
    this.cancel();
    return Promise.resolve(ended);
  }

  #claim(): void {
    if (this.#claimed) {
      const message = 'the body is being read or has been read; a streaming body has one reader, once';
      throw new HeddleError({ code: 'failed_precondition', reason: 'BODY_ALREADY_READ', message });
    }
    this.#claimed = true;
    if (!this.#complete && this.#error === undefined) this.#source.wanted();
  }

  #take(): Uint8Array {
    const chunk = this.#queue.take();
    if (this.#complete && this.#queue.length === 0) this.#finished = true;
    this.#source.consumed(chunk.byteLength);
    return chunk;
  }

  #pourQueue(): void {
    while (this.#queue.length > 0 && !this.#sinkBlocked && this.#sink !== undefined) {
      this.#pour(this.#sink, this.#take());
    }
    this.#finishIfDrained();
  }

  #pour(sink: BodySink, chunk: Uint8Array): void {
    if (!sink.data(chunk)) this.#sinkBlocked = true;
    if (sink.idle === true) this.#source.release?.(chunk);
  }

  /** Tells the reader the end, once there is nothing before it. */
  #finishIfDrained(): void {
    if (this.#queue.length > 0) return;
    if (!this.#complete && this.#error === undefined) return;
    this.#finished = true;
    const waiting = this.#waiting;
    const sink = this.#sink;
    this.#waiting = undefined;
    this.#sink = undefined;
    if (this.#error !== undefined) {
      waiting?.reject(this.#error);
      sink?.fail(this.#error);
    } else {
      waiting?.resolve(ended);
      sink?.end(this.#trailers);
    }
  }

  #discardQueue(): void {
    const { bytes } = this.#queue;
    this.#queue.clear();
    if (bytes > 0) this.#source.consumed(bytes);
  }
}

function readerLeft(): HeddleError {
  return new HeddleError({
    code: 'cancelled',
    reason: 'READER_LEFT',
    message: 'the reader of the body has left',
  });
}
