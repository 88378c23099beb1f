import { HeadReader, MORE } from './head-reader.ts';
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
  #head: ResponseHead | undefined;

  constructor(limits: MessageLimits) {
    this.#reader = new HeadReader(limits, this.#line);
  }

  /** As `HeadReader.read`. When it gives a position, `take` gives the head. */
  read(chunk: Uint8Array, at: number): number {
    const after = this.#reader.read(chunk, at);
    if (after !== MORE) {
      this.#head = this.#understand();
      this.#reader.reset();
    }
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
