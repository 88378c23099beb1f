import { HeddleError } from '@heddle/kernel';
import type { Body } from '../message/body.ts';
import type { Fields } from '../message/fields.ts';

/** Whoever fills an `IncomingBody`: hears what becomes of the bytes. */
export interface BodySource {
  /** The reader has taken so many bytes (or they were dropped): the peer may send as many more. */
  consumed(bytes: number): void;
  /** A reader waits for bytes for the first time. */
  demanded(): void;
  /** The reader has left before the end. */
  abandoned(error: HeddleError): void;
}

interface Waiting {
  resolve(result: IteratorResult<Uint8Array, undefined>): void;
  reject(error: HeddleError): void;
}

interface Collecting {
  readonly limit: number;
  resolve(bytes: Uint8Array): void;
  reject(error: HeddleError): void;
}

const done: IteratorResult<Uint8Array, undefined> = { done: true, value: undefined };
const nothing = new Uint8Array(0);

/** The content of a message that is still coming. Holds what was not read yet, which a window bounds. */
export class IncomingBody implements Body, AsyncIterator<Uint8Array, undefined> {
  readonly size: number | undefined;
  trailers: Fields | undefined;

  readonly #source: BodySource;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #ended = false;
  #demanded = false;
  #error: HeddleError | undefined;
  #waiting: Waiting | undefined;
  #collecting: Collecting | undefined;

  constructor(source: BodySource, size: number | undefined) {
    this.#source = source;
    this.size = size;
  }

  /** Bytes that nobody has read yet. */
  get queued(): number {
    return this.#queued;
  }

  /** True while a reader has nothing to read. */
  get starved(): boolean {
    return this.#waiting !== undefined || this.#collecting !== undefined;
  }

  /** More has come. For the source; not after `end` or `fail`. */
  push(chunk: Uint8Array): void {
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      this.#source.consumed(chunk.length);
      waiting.resolve({ done: false, value: chunk });
      return;
    }
    if (this.#error !== undefined) {
      this.#source.consumed(chunk.length);
      return;
    }
    // What waits must not keep a much larger read buffer alive.
    this.#queue.push(chunk.length * 4 < chunk.buffer.byteLength ? Buffer.from(chunk) : chunk);
    this.#queued += chunk.length;
    if (this.#collecting !== undefined) this.#collect(this.#collecting, chunk.length);
  }

  /** That was all. For the source. */
  end(trailers: Fields | undefined): void {
    this.trailers = trailers;
    this.#ended = true;
    this.#waiting?.resolve(done);
    this.#waiting = undefined;
    const collecting = this.#collecting;
    if (collecting === undefined) return;
    this.#collecting = undefined;
    collecting.resolve(this.#joined());
  }

  /** It breaks off here: what is queued is dropped, and reading rejects. For the source. Does nothing after `end`. */
  fail(error: HeddleError): void {
    if (this.#ended || this.#error !== undefined) return;
    this.#error = error;
    this.#drop();
    this.#waiting?.reject(error);
    this.#waiting = undefined;
    this.#collecting?.reject(error);
    this.#collecting = undefined;
  }

  /** All that is queued, as read. For the source, when it has ended before anybody read. */
  takeAll(): Uint8Array {
    const bytes = this.#joined();
    this.#source.consumed(bytes.length);
    return bytes;
  }

  bytes(limit: number): Promise<Uint8Array> {
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#queued > limit || (this.size ?? 0) > limit) return Promise.reject(this.#refuse(limit));
    if (this.#ended) return Promise.resolve(this.takeAll());
    if (this.starved) return Promise.reject(secondReader());
    this.#demand();
    return new Promise((resolve, reject) => {
      this.#collecting = { limit, resolve, reject };
      if (this.#queued > 0) this.#source.consumed(this.#queued);
    });
  }

  cancel(error: HeddleError = readerLeft()): void {
    if (this.#error !== undefined || (this.#ended && this.#queued === 0)) return;
    const unfinished = !this.#ended;
    this.#error = error;
    this.#drop();
    this.#waiting?.reject(error);
    this.#waiting = undefined;
    this.#collecting?.reject(error);
    this.#collecting = undefined;
    if (unfinished) this.#source.abandoned(error);
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const chunk = this.#queue.shift();
    if (chunk !== undefined) {
      this.#queued -= chunk.length;
      this.#source.consumed(chunk.length);
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#error !== undefined) return Promise.reject(this.#error);
    if (this.#ended) return Promise.resolve(done);
    if (this.starved) return Promise.reject(secondReader());
    this.#demand();
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.cancel();
    return Promise.resolve(done);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return this;
  }

  #demand(): void {
    if (this.#demanded) return;
    this.#demanded = true;
    this.#source.demanded();
  }

  #collect(collecting: Collecting, fresh: number): void {
    if (this.#queued <= collecting.limit) {
      this.#source.consumed(fresh);
      return;
    }
    // What was collected has been credited already, all but the last chunk.
    this.#queued = fresh;
    this.#collecting = undefined;
    collecting.reject(this.#refuse(collecting.limit));
  }

  #refuse(limit: number): HeddleError {
    const message = `the body is larger than the limit of ${limit} bytes`;
    const error = new HeddleError({ code: 'resource_exhausted', reason: 'BODY_TOO_LARGE', message });
    this.cancel(error);
    return error;
  }

  #drop(): void {
    const dropped = this.#queued;
    this.#queue = [];
    this.#queued = 0;
    if (dropped > 0 && this.#collecting === undefined) this.#source.consumed(dropped);
  }

  #joined(): Uint8Array {
    const [only = nothing] = this.#queue;
    const joined = this.#queue.length <= 1 ? only : Buffer.concat(this.#queue, this.#queued);
    this.#queue = [];
    this.#queued = 0;
    return joined;
  }
}

function readerLeft(): HeddleError {
  return new HeddleError({
    code: 'cancelled',
    reason: 'READER_LEFT',
    message: 'the reader of the body has left',
  });
}

function secondReader(): HeddleError {
  const message = 'the body is being read already: a body has one reader';
  return new HeddleError({ code: 'failed_precondition', reason: 'BODY_IN_USE', message });
}
