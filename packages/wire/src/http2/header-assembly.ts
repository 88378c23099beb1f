import { ConnectionFault, errorCode } from './error-code.ts';
import type { Http2Limits } from './limits.ts';

/** Puts together a header block that came in several frames (RFC 9113 section 4.3). One at a time, by the protocol. */
export class HeaderAssembly {
  /** The stream whose block is being put together; 0: none. Any other frame in between breaks the protocol. */
  streamId = 0;
  endStream = false;
  /** The first frame had a priority that breaks the protocol: to be said when the block is complete. */
  dependsOnItself = false;
  /** When the block's first frame came. */
  begunMs = 0;

  readonly #limits: Http2Limits;
  #fragments: Buffer[] = [];
  #bytes = 0;
  #frames = 0;

  constructor(limits: Http2Limits) {
    this.#limits = limits;
  }

  /** Begins with what a HEADERS frame without END_HEADERS holds. */
  begin(
    streamId: number,
    endStream: boolean,
    bytes: Buffer,
    start: number,
    end: number,
    nowMs: number,
  ): void {
    this.streamId = streamId;
    this.endStream = endStream;
    this.dependsOnItself = false;
    this.begunMs = nowMs;
    this.#append(bytes, start, end);
  }

  /** Adds what a CONTINUATION frame holds. Throws beyond the limits (the flood of VU#421644). */
  add(bytes: Buffer, start: number, end: number): void {
    this.#frames++;
    if (this.#frames > this.#limits.maxContinuations) {
      throw new ConnectionFault(errorCode.enhanceYourCalm, 'too many continuations');
    }
    this.#append(bytes, start, end);
  }

  /** The whole block; the assembly is empty again. */
  take(): Buffer {
    const block = Buffer.concat(this.#fragments, this.#bytes);
    this.streamId = 0;
    this.#fragments = [];
    this.#bytes = 0;
    this.#frames = 0;
    return block;
  }

  #append(bytes: Buffer, start: number, end: number): void {
    this.#bytes += end - start;
    if (this.#bytes > this.#limits.maxHeaderBlockBytes) {
      const message = `a header block of more than ${this.#limits.maxHeaderBlockBytes} bytes`;
      throw new ConnectionFault(errorCode.enhanceYourCalm, message);
    }
    // Copied: a fragment must not keep the whole chunk alive that it came in.
    if (end > start) this.#fragments.push(Buffer.from(bytes.subarray(start, end)));
  }
}
