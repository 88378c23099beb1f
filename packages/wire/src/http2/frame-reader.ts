import { ConnectionFault, errorCode } from './error-code.ts';
import { defaultFrameBytes, frameHeaderBytes, readUint31 } from './frame.ts';

/**
 * Takes one whole frame: its payload is `bytes[start, end)`. May throw; the reader then must not be used again.
 * Positional parameters, since an object per frame would be the largest cost of reading one.
 */
export type FrameHandler = (
  type: number,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
) => void;

/**
 * Cuts a stream of bytes into frames. A frame that lies in one chunk is handed over in place; one that does not is
 * put together in a buffer of its own, never larger than `defaultFrameBytes`.
 */
export class FrameReader {
  readonly #handle: FrameHandler;
  readonly #header: Buffer = Buffer.allocUnsafe(frameHeaderBytes);
  #headerFilled = 0;
  #payload: Buffer | undefined;
  #payloadFilled = 0;
  #stopped = false;

  constructor(handle: FrameHandler) {
    this.#handle = handle;
  }

  /** Hands over no more frames, not even those left in the chunk that is being read. */
  stop(): void {
    this.#stopped = true;
    this.#payload = undefined;
  }

  /** Reads on. Throws `ConnectionFault` for a frame that is too large, and whatever the handler throws. */
  read(chunk: Buffer): void {
    let at = this.#headerFilled > 0 ? this.#resume(chunk) : 0;
    const { length } = chunk;
    while (!this.#stopped && at + frameHeaderBytes <= length) {
      const start = at + frameHeaderBytes;
      const end = start + payloadBytes(chunk, at);
      if (end > length) break;
      this.#handle(
        chunk[at + 3] as number,
        chunk[at + 4] as number,
        readUint31(chunk, at + 5),
        chunk,
        start,
        end,
      );
      at = end;
    }
    if (!this.#stopped && at < length) this.#hold(chunk, at);
  }

  /** Completes the frame begun in an earlier chunk, as far as this one goes. Returns where to read on. */
  #resume(chunk: Buffer): number {
    let at = 0;
    if (this.#payload === undefined) {
      at = Math.min(frameHeaderBytes - this.#headerFilled, chunk.length);
      chunk.copy(this.#header, this.#headerFilled, 0, at);
      this.#headerFilled += at;
      if (this.#headerFilled < frameHeaderBytes) return at;
      this.#payload = Buffer.allocUnsafe(payloadBytes(this.#header, 0));
    }
    const payload = this.#payload;
    const taken = Math.min(payload.length - this.#payloadFilled, chunk.length - at);
    chunk.copy(payload, this.#payloadFilled, at, at + taken);
    this.#payloadFilled += taken;
    at += taken;
    if (this.#payloadFilled < payload.length) return at;
    this.#payload = undefined;
    this.#payloadFilled = 0;
    this.#headerFilled = 0;
    const header = this.#header;
    this.#handle(header[3] as number, header[4] as number, readUint31(header, 5), payload, 0, payload.length);
    return at;
  }

  #hold(chunk: Buffer, from: number): void {
    const headerEnd = Math.min(from + frameHeaderBytes, chunk.length);
    chunk.copy(this.#header, 0, from, headerEnd);
    this.#headerFilled = headerEnd - from;
    if (this.#headerFilled < frameHeaderBytes) return;
    this.#payload = Buffer.allocUnsafe(payloadBytes(this.#header, 0));
    this.#payloadFilled = chunk.copy(this.#payload, 0, headerEnd);
  }
}

function payloadBytes(bytes: Buffer, at: number): number {
  const length = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number);
  if (length <= defaultFrameBytes) return length;
  const message = `a frame of ${length} bytes; SETTINGS_MAX_FRAME_SIZE is ${defaultFrameBytes}`;
  throw new ConnectionFault(errorCode.frameSizeError, message);
}
