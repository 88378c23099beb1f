import { HeddleError } from '@heddle/kernel';
import { type Body, wholeBytes } from '../message/body.ts';
import type { Fields } from '../message/fields.ts';
import { defaultFrameBytes } from './frame.ts';
import { writeData } from './frame-writer.ts';
import type { Session } from './session.ts';
import type { Http2Stream } from './stream.ts';

// How much one stream sends before others get their turn.
const turnBytes = 4 * defaultFrameBytes;
const noBytes = new Uint8Array(0);

/** What we send on a stream after its head: content as fast as windows and the socket take it, trailers, the end. */
export class SendHalf {
  /** END_STREAM was written, or nothing more may be. */
  ended = false;
  /** What the peer will take on this stream; may be negative after its SETTINGS. */
  window: number;
  /** Is in the session's queue of streams that wait for the connection. For the session alone. */
  queued = false;
  /** Something was sent since this was last set to false. */
  progress = true;

  readonly #session: Session;
  readonly #stream: Http2Stream;
  #pending: Uint8Array | undefined;
  #at = 0;
  #last = false;
  #trailers: Fields | undefined;
  #body: Body | undefined;
  #wakePump: (() => void) | undefined;

  constructor(session: Session, stream: Http2Stream, window: number) {
    this.#session = session;
    this.#stream = stream;
    this.window = window;
  }

  /** Content waits for a window, or for the socket. */
  get waiting(): boolean {
    return this.#pending !== undefined;
  }

  /** Sends `body` to its end, when the head has been written without END_STREAM. */
  start(body: Body): void {
    const bytes = wholeBytes(body);
    if (bytes === undefined) {
      this.#body = body;
      void this.#pump(body);
      return;
    }
    this.#trailers = body.trailers;
    this.#last = true;
    this.#offer(bytes);
  }

  /** Goes on sending, after a window has opened or the socket has drained. */
  proceed(): void {
    if (this.#pending !== undefined) this.#send(this.#pending);
  }

  /** The stream is over: nothing more is sent, and whoever produces the content is told. */
  stop(error: HeddleError): void {
    if (this.ended) return;
    this.ended = true;
    this.#pending = undefined;
    const body = this.#body;
    this.#body = undefined;
    body?.cancel(error);
    this.#wake();
  }

  async #pump(body: Body): Promise<void> {
    try {
      for await (const chunk of body) {
        if (this.ended) return;
        if (chunk.length === 0) continue;
        this.#offer(chunk);
        if (this.#pending !== undefined) await this.#sent();
        if (this.ended) return;
      }
      if (this.ended) return;
      this.#body = undefined;
      this.#trailers = body.trailers;
      this.#finish();
    } catch (thrown) {
      if (this.ended) return;
      this.#body = undefined;
      this.#stream.sendFailed(HeddleError.from(thrown));
    }
  }

  #sent(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakePump = resolve;
    });
  }

  #wake(): void {
    const wake = this.#wakePump;
    this.#wakePump = undefined;
    wake?.();
  }

  #offer(bytes: Uint8Array): void {
    this.#at = 0;
    this.#send(bytes);
  }

  #send(bytes: Uint8Array): void {
    const session = this.#session;
    const { output } = session;
    let turn = turnBytes;
    while (this.#at < bytes.length) {
      const count = Math.min(bytes.length - this.#at, defaultFrameBytes, this.window, session.sendWindow);
      if (count <= 0 || turn <= 0 || output.congested) {
        this.#pending = bytes;
        // Without a window of its own, the stream's WINDOW_UPDATE is what it waits for.
        if (this.window > 0) session.queueSend(this);
        return;
      }
      const end = this.#last && this.#at + count === bytes.length && this.#trailers === undefined;
      writeData(output, this.#stream.id, bytes, this.#at, count, end);
      this.#at += count;
      this.window -= count;
      session.sendWindow -= count;
      turn -= count;
      this.progress = true;
      session.guard.work();
      if (end) {
        this.#pending = undefined;
        this.#end();
        return;
      }
    }
    this.#pending = undefined;
    if (this.#last) this.#finish();
    else this.#wake();
  }

  /** Ends without content: on trailers, or on an empty DATA frame, which no window holds back. */
  #finish(): void {
    if (this.#trailers === undefined) {
      writeData(this.#session.output, this.#stream.id, noBytes, 0, 0, true);
    } else {
      try {
        this.#session.headerWriter.write(this.#stream.id, none, this.#trailers, true);
      } catch (thrown) {
        this.#stream.sendFailed(HeddleError.from(thrown));
        return;
      }
    }
    this.#end();
  }

  #end(): void {
    this.ended = true;
    this.#body = undefined;
    this.#stream.sendEnded();
  }
}

const none: readonly string[] = [];
