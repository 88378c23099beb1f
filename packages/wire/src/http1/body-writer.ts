import { HeddleError } from '@heddle/kernel';
import { type Body, chunksAtHand, wholeBytes } from '../message/body.ts';
import type { Fields } from '../message/fields.ts';
import { type BodySink, IncomingBody } from '../message/incoming-body.ts';
import { FieldMemory } from './field-memory.ts';
import { headWriter } from './head-writer.ts';
import type { Outbox } from './outbox.ts';

const trailerFields = new FieldMemory();

/** How the end of the content is told: by a length, by chunks, or by the end of the connection. */
export type Framing = 'length' | 'chunked' | 'open';

/** Who wants to know how the writing went. Exactly one of the two, once. */
export interface BodyWriterOwner {
  /** The last byte has been written. */
  bodyWritten(): void;
  /** It broke off: the message is incomplete, so its connection cannot be used any more. */
  bodyBroke(error: HeddleError): void;
}

// How much of a body that has its chunks at hand is written before others get their turn.
const turnBytes = 65_536;
// A chunk up to here goes out in one piece with its size and end.
const joinBytes = 16_384;
const crlf = Buffer.from('\r\n');

/** Writes the content of one message, no faster than the connection takes it. */
export class BodyWriter implements BodySink {
  readonly #outbox: Outbox;
  readonly #owner: BodyWriterOwner;
  readonly #body: Body;
  readonly #framing: Framing;
  #remaining: number;
  #finished = false;
  #wake: (() => void) | undefined;
  // Where the next chunks are, for a body that has them at hand.
  #source: Iterator<Uint8Array> | undefined;

  constructor(outbox: Outbox, owner: BodyWriterOwner, body: Body, framing: Framing) {
    this.#outbox = outbox;
    this.#owner = owner;
    this.#body = body;
    this.#framing = framing;
    this.#remaining = framing === 'length' ? (body.size ?? 0) : Number.POSITIVE_INFINITY;
  }

  /** Begins. What is there already is written before it returns. */
  start(): void {
    if (this.#body instanceof IncomingBody) {
      this.#body.flow(this);
      return;
    }
    const whole = wholeBytes(this.#body);
    if (whole !== undefined) {
      this.data(whole);
      this.end(this.#body.trailers);
      return;
    }
    this.#source = chunksAtHand(this.#body);
    if (this.#source === undefined) void this.#pump();
    else this.#pull(this.#source);
  }

  get idle(): boolean {
    return this.#outbox.empty;
  }

  /** The connection takes more. */
  drained(): void {
    if (this.#body instanceof IncomingBody) this.#body.resume();
    if (this.#source !== undefined) this.#pull(this.#source);
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Nothing more can be written: the rest of the content is cancelled. The owner is not told. */
  abort(error: HeddleError): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#body.cancel(error);
    this.#wake?.();
  }

  data(chunk: Uint8Array): boolean {
    const bytes = chunk.byteLength;
    if (this.#finished || bytes === 0) return true;
    this.#remaining -= bytes;
    if (this.#remaining < 0) {
      this.#break(mismatch(this.#body.size, 'more'));
      return true;
    }
    if (this.#framing === 'chunked') this.#writeChunk(chunk);
    else this.#outbox.write(chunk);
    return !this.#outbox.blocked;
  }

  end(trailers: Fields | undefined): void {
    if (this.#finished) return;
    if (this.#framing === 'length' && this.#remaining > 0) {
      this.#break(mismatch(this.#body.size, 'fewer'));
      return;
    }
    if (this.#framing === 'chunked') {
      try {
        this.#writeLastChunk(trailers);
      } catch (thrown) {
        this.#break(HeddleError.from(thrown));
        return;
      }
    }
    this.#finished = true;
    this.#owner.bodyWritten();
  }

  fail(error: HeddleError): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#owner.bodyBroke(error);
  }

  #break(error: HeddleError): void {
    this.#finished = true;
    this.#body.cancel(error);
    this.#owner.bodyBroke(error);
  }

  #writeChunk(chunk: Uint8Array): void {
    headWriter.begin();
    headWriter.text(`${chunk.byteLength.toString(16)}\r\n`);
    if (chunk.byteLength <= joinBytes) {
      headWriter.bytes(chunk);
      headWriter.text('\r\n');
      this.#outbox.write(headWriter.take());
      return;
    }
    this.#outbox.cork();
    this.#outbox.write(headWriter.take());
    this.#outbox.write(chunk);
    this.#outbox.write(crlf);
    this.#outbox.uncork();
  }

  #writeLastChunk(trailers: Fields | undefined): void {
    headWriter.begin();
    headWriter.text('0\r\n');
    if (trailers !== undefined) headWriter.fields(trailers, trailerFields);
    headWriter.text('\r\n');
    this.#outbox.write(headWriter.take());
  }

  /** Writes chunk by chunk until the connection takes no more or others want their turn. */
  #pull(source: Iterator<Uint8Array>): void {
    let turn = turnBytes;
    this.#outbox.cork();
    try {
      while (turn > 0 && !this.#finished && !this.#outbox.blocked) {
        const { done, value } = source.next();
        // The source itself may have given the call up.
        if (this.#finished) source.return?.();
        else if (done === true) {
          this.#source = undefined;
          this.end(this.#body.trailers);
        } else {
          turn -= value.byteLength;
          this.data(value);
        }
      }
    } catch (thrown) {
      this.#source = undefined;
      this.fail(HeddleError.from(thrown));
    }
    this.#outbox.uncork();
    if (this.#source !== undefined && !this.#finished && !this.#outbox.blocked)
      this.#outbox.soon(this.#pullOn);
  }

  readonly #pullOn = (): void => {
    if (this.#source !== undefined && !this.#finished && !this.#outbox.blocked) this.#pull(this.#source);
  };

  async #pump(): Promise<void> {
    try {
      for await (const chunk of this.#body) {
        if (!this.data(chunk)) await this.#room();
        if (this.#finished) return;
      }
      this.end(this.#body.trailers);
    } catch (thrown) {
      this.fail(HeddleError.from(thrown));
    }
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

function mismatch(size: number | undefined, found: string): HeddleError {
  const message = `the body gave ${found} bytes than the ${size} that it announced`;
  return new HeddleError({ code: 'internal', reason: 'BODY_SIZE_MISMATCH', message });
}
