import type { Fields } from '../message/fields.ts';
import type { IncomingBody } from '../message/incoming-body.ts';
import type { MessageLimits } from './limits.ts';
import { refusal } from './refusal.ts';

/** Takes the content of one message out of the stream of bytes, as slices. */
export interface BodyDecoder {
  /** True when the content, and trailers where there are any, has come. */
  readonly complete: boolean;
  readonly trailers: Fields | undefined;
  /** Pushes what it finds from `at` on. The position after what belongs to this message. Throws a refusal. */
  decode(chunk: Uint8Array, at: number, body: IncomingBody): number;
}

/** `Content-Length` bytes (RFC 9112 section 6.2). */
class LengthDecoder implements BodyDecoder {
  readonly trailers: Fields | undefined = undefined;
  #remaining: number;

  constructor(length: number) {
    this.#remaining = length;
  }

  get complete(): boolean {
    return this.#remaining === 0;
  }

  decode(chunk: Uint8Array, at: number, body: IncomingBody): number {
    const end = Math.min(chunk.byteLength, at + this.#remaining);
    this.#remaining -= end - at;
    if (end > at) body.push(at === 0 && end === chunk.byteLength ? chunk : chunk.subarray(at, end));
    return end;
  }
}

/** Everything until the connection closes: tunnels, and answers without a length (RFC 9112 section 6.3). */
class OpenDecoder implements BodyDecoder {
  readonly complete = false;
  readonly trailers: Fields | undefined = undefined;

  decode(chunk: Uint8Array, at: number, body: IncomingBody): number {
    if (at < chunk.byteLength) body.push(at === 0 ? chunk : chunk.subarray(at));
    return chunk.byteLength;
  }
}

/** For content of a known length. Refuses one beyond the limit at once. */
export function lengthDecoder(length: number, limits: MessageLimits): BodyDecoder {
  checkLength(length, limits);
  return new LengthDecoder(length);
}

/** Refuses content of a length beyond the limit. */
export function checkLength(length: number, limits: MessageLimits): void {
  if (length <= limits.bodyBytes) return;
  throw refusal(
    'BODY_TOO_LARGE',
    `the content of ${length} bytes is larger than the limit of ${limits.bodyBytes}`,
  );
}

/** For content that ends with the connection. */
export function openDecoder(): BodyDecoder {
  return new OpenDecoder();
}
