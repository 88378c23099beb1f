import { HeadReader, MORE, type StartLine } from './head-reader.ts';
import { KnownHead } from './known-head.ts';
import type { MessageLimits } from './limits.ts';
import { MessageHead } from './message-head.ts';

/**
 * Reads heads, one after the other, and what they mean by `understand`, which throws a refusal for those that do not
 * have exactly one meaning. One that is the last one's, byte for byte, is not understood again.
 */
export class RememberingHeadReader<Head extends { readonly head: MessageHead }> {
  readonly #reader: HeadReader;
  readonly #understand: (reader: HeadReader) => Head;
  readonly #known = new KnownHead<Head>();
  #head: Head | undefined;

  constructor(limits: MessageLimits, line: StartLine, understand: (reader: HeadReader) => Head) {
    this.#reader = new HeadReader(limits, line);
    this.#understand = understand;
  }

  /** True between the first byte of a head and its last. */
  get started(): boolean {
    return this.#reader.started;
  }

  /** As `HeadReader.read`. When it gives a position, `take` gives the head. */
  read(chunk: Uint8Array, at: number): number {
    const reader = this.#reader;
    const known = reader.started ? 0 : this.#known.find(chunk, at);
    if (known > 0) {
      this.#head = copyOf(this.#known.head);
      return known;
    }
    const after = reader.read(chunk, at);
    if (after === MORE) return MORE;
    const head = this.#understand(reader);
    const { bytes, start, end } = reader;
    // A copy: what is handed over may be changed.
    if (this.#known.wants(start, end)) this.#known.keep(bytes, start, end, copyOf(head));
    this.#head = head;
    reader.reset();
    return after;
  }

  /** The head that was just read. */
  take(): Head {
    const head = this.#head as Head;
    this.#head = undefined;
    return head;
  }
}

function copyOf<Head extends { readonly head: MessageHead }>(head: Head): Head {
  return { ...head, head: new MessageHead(head.head, '') };
}
