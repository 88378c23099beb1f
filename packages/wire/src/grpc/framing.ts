import { HeddleError } from '@heddle/kernel';
import { type Compression, messageTooLarge } from './compression.ts';

const headBytes = 5;
const compressedFlag = 1;

/**
 * A message as gRPC frames it: a byte of flags (0: not compressed), four bytes of length, the message. gRPC-Web and
 * Connect end their streams with a frame that has a flag of its own.
 */
export function frame(message: Uint8Array, flags = 0): Uint8Array {
  const framed = new Uint8Array(headBytes + message.byteLength);
  framed[0] = flags;
  new DataView(framed.buffer).setUint32(1, message.byteLength);
  framed.set(message, headBytes);
  return framed;
}

// Messages of a stream are often of one size: the head that was made last is then the next one too.
let lastHead: Uint8Array = new Uint8Array(headBytes);

/**
 * The five bytes before a message of `bytes` bytes, which must not be changed: several messages may share them. For a
 * body that gives them as a chunk of their own and saves the copy that `frame` makes: the engine puts both into one
 * frame of HTTP/2.
 */
export function frameHead(bytes: number, flags = 0): Uint8Array {
  if (lengthIn(lastHead) === bytes && lastHead[0] === flags) return lastHead;
  const head = new Uint8Array(headBytes);
  head[0] = flags;
  head[1] = bytes >>> 24;
  head[2] = bytes >>> 16;
  head[3] = bytes >>> 8;
  head[4] = bytes;
  lastHead = head;
  return head;
}

function lengthIn(head: Uint8Array): number {
  return (
    (head[1] as number) * 0x100_0000 +
    (((head[2] as number) << 16) | ((head[3] as number) << 8) | (head[4] as number))
  );
}

/** As `frame`, compressed and marked so. An empty message cannot become smaller and stays as it is. */
export async function compressedFrame(message: Uint8Array, compression: Compression): Promise<Uint8Array> {
  if (message.byteLength === 0) return frame(message);
  return frame(await compression.compress(message), compressedFlag);
}

/**
 * Takes the chunks of a body as they come and gives the messages in it.
 * A message over `limitBytes` is refused by its length, before it is gathered.
 */
export class MessageReader {
  readonly #limitBytes: number;
  #chunks: Uint8Array[] = [];
  #gathered = 0;
  /** What the next message needs in all; 0 while its head is not known. */
  #needed = 0;
  #flags = 0;
  #compressed = false;
  #last = false;
  readonly #lastFlag: number;

  /** `lastFlag`: what marks the envelope that ends a stream of gRPC-Web or Connect; 0: there is none. */
  constructor(limitBytes: number, lastFlag = 0) {
    this.#limitBytes = limitBytes;
    this.#lastFlag = lastFlag;
  }

  /** Whether what was given last is the envelope that ends the stream, and no message. */
  get last(): boolean {
    return this.#last;
  }

  /** Whether the message given last is compressed, as its flag says. */
  get compressed(): boolean {
    return this.#compressed;
  }

  /** Adds what has come. The chunk belongs to the reader from now on. */
  push(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return;
    this.#chunks.push(chunk);
    this.#gathered += chunk.byteLength;
  }

  /** The next whole message, or undefined until more has come. Throws for a bad head. */
  next(): Uint8Array | undefined {
    if (this.#needed === 0) {
      if (this.#gathered < headBytes) return undefined;
      this.#needed = headBytes + this.#readHead();
    }
    if (this.#gathered < this.#needed) return undefined;
    const framed = this.#take(this.#needed);
    this.#needed = 0;
    this.#compressed = (this.#flags & compressedFlag) !== 0;
    this.#last = (this.#flags & this.#lastFlag) !== 0;
    return framed.subarray(headBytes);
  }

  /** To be called when the body has ended: throws if it ended within a message. */
  end(): void {
    if (this.#gathered === 0) return;
    const message = `the body ended within a message: ${this.#gathered} of ${this.#needed || headBytes} bytes have come`;
    throw new HeddleError({ code: 'internal', reason: 'TORN_MESSAGE', message });
  }

  #readHead(): number {
    const head = this.#join(headBytes);
    const flags = head[0] as number;
    if ((flags & ~(compressedFlag | this.#lastFlag)) !== 0) throw unknownFlags(flags);
    this.#flags = flags;
    const length = new DataView(head.buffer, head.byteOffset).getUint32(1);
    if (length > this.#limitBytes) throw messageTooLarge(this.#limitBytes, length);
    return length;
  }

  /** Makes the first chunk at least `bytes` long. */
  #join(bytes: number): Uint8Array {
    const [first] = this.#chunks;
    if (first !== undefined && first.byteLength >= bytes) return first;
    const joined = new Uint8Array(this.#gathered);
    let at = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, at);
      at += chunk.byteLength;
    }
    this.#chunks = [joined];
    return joined;
  }

  #take(bytes: number): Uint8Array {
    const first = this.#join(bytes);
    this.#gathered -= bytes;
    if (first.byteLength === bytes) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(bytes);
    return first.subarray(0, bytes);
  }
}

function unknownFlags(flags: number): HeddleError {
  const message = `a message begins with the flags ${flags}: only 0 and ${compressedFlag} (compressed) are known here`;
  return new HeddleError({ code: 'internal', reason: 'UNKNOWN_FLAGS', message });
}
