import { HeadReader, MORE } from './head-reader.ts';
import { KnownHead } from './known-head.ts';
import type { MessageLimits } from './limits.ts';
import { MessageHead } from './message-head.ts';
import { latin1 } from './octets.ts';
import { refusal } from './refusal.ts';
import { StatusLine } from './status-line.ts';

/** The head of a response, interim ones included. */
export interface ResponseHead {
  /** 100 to 599. */
  readonly status: number;
  readonly head: MessageHead;
  /** The server keeps the connection, as far as this head says. */
  readonly persistent: boolean;
}

/** Reads response heads, one after the other, and refuses those that do not have exactly one meaning. */
export class ResponseHeadReader {
  readonly #line = new StatusLine();
  readonly #reader: HeadReader;
  readonly #known = new KnownHead<ResponseHead>();
  #head: ResponseHead | undefined;

  constructor(limits: MessageLimits) {
    this.#reader = new HeadReader(limits, this.#line);
  }

  /** As `HeadReader.read`. When it gives a position, `take` gives the head. */
  read(chunk: Uint8Array, at: number): number {
    const reader = this.#reader;
    const known = reader.started ? 0 : this.#known.find(chunk, at);
    if (known > 0) {
      const { head } = this.#known;
      this.#head = { ...head, head: new MessageHead(head.head, '') };
      return known;
    }
    const after = reader.read(chunk, at);
    if (after === MORE) return MORE;
    const head = this.#understand();
    const { bytes, start, end } = reader;
    // A copy: what is handed over may be changed.
    if (this.#known.wants(start, end))
      this.#known.keep(bytes, start, end, { ...head, head: new MessageHead(head.head, '') });
    this.#head = head;
    reader.reset();
    return after;
  }

  /** The head that was just read. */
  take(): ResponseHead {
    const head = this.#head as ResponseHead;
    this.#head = undefined;
    return head;
  }

  #understand(): ResponseHead {
    const reader = this.#reader;
    const { minor, status } = this.#line;
    const head = new MessageHead(reader, latin1(reader.bytes, reader.start, reader.end));
    if (minor === 0 && head.chunked) {
      throw refusal('BAD_TRANSFER_ENCODING', 'there is Transfer-Encoding in a message of HTTP/1.0');
    }
    return { status, head, persistent: !head.close && (minor === 1 || head.keepAlive) };
  }
}
