import { HeddleError } from '@heddle/kernel';
import type { Fields } from './fields.ts';

/**
 * Content on its way: read once, by one reader, either by iterating or by `bytes`.
 * Not reading is back-pressure. A reader that stops early says so with `cancel`, or by leaving its `for await`.
 * When the exchange breaks off, reading rejects with the `HeddleError` that says why; a cut-off body never looks whole.
 */
export interface Body extends AsyncIterable<Uint8Array> {
  /** How many bytes there will be, where that is known beforehand. */
  readonly size: number | undefined;
  /** The trailer fields; undefined if there are none. Complete once all bytes have been read. */
  readonly trailers: Fields | undefined;
  /** All of it. Rejects with `resource_exhausted` / `BODY_TOO_LARGE`, and cancels, beyond `limit` bytes. */
  bytes(limit: number): Promise<Uint8Array>;
  /** The rest is not wanted. Does nothing when it has all been read. */
  cancel(error?: HeddleError): void;
}

const nothing = new Uint8Array(0);

/** Content that is all there. */
export class WholeBody implements Body {
  readonly size: number;
  readonly trailers: Fields | undefined;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, trailers: Fields | undefined) {
    this.#bytes = bytes;
    this.size = bytes.byteLength;
    this.trailers = trailers;
  }

  /** The content, for whoever likes to have it in one piece. */
  get whole(): Uint8Array {
    return this.#bytes;
  }

  /** The same for a codec that copies it at once, and then says so by `copied`. */
  content(): Uint8Array {
    return this.#bytes;
  }

  /** The content that was asked for by `content` has been copied. */
  copied(): void {}

  async bytes(limit: number): Promise<Uint8Array> {
    if (this.size > limit) throw bodyTooLarge(limit);
    return this.whole;
  }

  cancel(): void {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void> {
    if (this.size > 0) yield this.whole;
  }
}

/** No content. May be read by many. */
export const emptyBody: Body = new WholeBody(nothing, undefined);

/** Content that is all there, and may be read again, so a request that carries it can be replayed. */
export function wholeBody(bytes: Uint8Array, trailers?: Fields): Body {
  return new WholeBody(bytes, trailers);
}

/** The bytes of a body that is all there; undefined for one that streams. */
export function wholeBytes(body: Body): Uint8Array | undefined {
  return body instanceof WholeBody ? body.whole : undefined;
}

/** What `streamBody` may be told. */
export interface StreamBodyOptions {
  readonly size?: number;
  /** Asked once, when the source has ended. */
  readonly trailers?: () => Fields | undefined;
}

/**
 * Content from any source of chunks. `cancel` ends the source by its iterator's `return`.
 * A source that has its chunks at hand (a list, a generator that is not async) is best given as a plain iterable: the
 * engine takes as many as there is room for, and no promise stands between two of them. It takes a chunk only when it
 * can be sent, so such a source too is under back-pressure.
 */
export function streamBody(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: StreamBodyOptions = {},
): Body {
  return Symbol.asyncIterator in source ? new StreamedBody(source, options) : new PulledBody(source, options);
}

/** Where the chunks of a body come from that has them at hand; undefined for one whose chunks must be awaited. */
export function chunksAtHand(body: Body): Iterator<Uint8Array> | undefined {
  return body instanceof PulledBody ? body.chunks : undefined;
}

/** Chunks that are at hand, for a codec that takes them as fast as it can send them. */
class PulledBody implements Body, AsyncIterableIterator<Uint8Array, void> {
  readonly size: number | undefined;
  /** Ends early, or throws, when the body is cancelled. */
  readonly chunks: Iterator<Uint8Array>;
  readonly #trailers: (() => Fields | undefined) | undefined;
  #cancelled: HeddleError | undefined;

  constructor(source: Iterable<Uint8Array>, options: StreamBodyOptions) {
    this.size = options.size;
    this.chunks = source[Symbol.iterator]();
    this.#trailers = options.trailers;
  }

  get trailers(): Fields | undefined {
    return this.#trailers?.();
  }

  bytes(limit: number): Promise<Uint8Array> {
    return collect(this, limit);
  }

  cancel(error: HeddleError = readerLeft()): void {
    this.#cancelled ??= error;
    try {
      this.chunks.return?.();
    } catch {
      // It is running: the call was given up from within the source. Whoever has asked it for a chunk ends it then.
    }
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, void>> {
    if (this.#cancelled !== undefined) throw this.#cancelled;
    return this.chunks.next() as IteratorResult<Uint8Array, void>;
  }

  async return(): Promise<IteratorResult<Uint8Array, void>> {
    this.chunks.return?.();
    return { done: true, value: undefined };
  }
}

/** Hands on what the source's own iterator gives: another generator around it would cost as much as all the rest. */
class StreamedBody implements Body, AsyncIterableIterator<Uint8Array, void> {
  readonly size: number | undefined;
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #trailers: (() => Fields | undefined) | undefined;
  #cancelled: HeddleError | undefined;

  constructor(source: AsyncIterable<Uint8Array>, options: StreamBodyOptions) {
    this.size = options.size;
    this.#iterator = source[Symbol.asyncIterator]();
    this.#trailers = options.trailers;
  }

  get trailers(): Fields | undefined {
    return this.#trailers?.();
  }

  bytes(limit: number): Promise<Uint8Array> {
    return collect(this, limit);
  }

  cancel(error: HeddleError = readerLeft()): void {
    this.#cancelled ??= error;
    void this.#iterator.return?.();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, void>> {
    return this.#cancelled === undefined ? this.#iterator.next() : Promise.reject(this.#cancelled);
  }

  async return(): Promise<IteratorResult<Uint8Array, void>> {
    await this.#iterator.return?.();
    return { done: true, value: undefined };
  }
}

/** Reads any body to its end: what an implementation's `bytes` does when it knows no shorter way. */
export async function collect(body: Body, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of body) {
    total += chunk.byteLength;
    if (total > limit) {
      const error = bodyTooLarge(limit);
      body.cancel(error);
      throw error;
    }
    chunks.push(chunk);
  }
  const [only] = chunks;
  if (chunks.length <= 1) return only ?? nothing;
  const joined = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.byteLength;
  }
  return joined;
}

function bodyTooLarge(limit: number): HeddleError {
  const message = `the body is larger than the limit of ${limit} bytes`;
  return new HeddleError({ code: 'resource_exhausted', reason: 'BODY_TOO_LARGE', message });
}

function readerLeft(): HeddleError {
  return new HeddleError({
    code: 'cancelled',
    reason: 'READER_LEFT',
    message: 'the reader of the body has left',
  });
}
