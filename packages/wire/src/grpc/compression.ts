import { HeddleError } from '@heddle/kernel';

/** One way to make messages smaller: a port, since compression is the platform's. `@heddle/wire/compression` has two. */
export interface Compression {
  /** As encoding fields name it: `gzip`. */
  readonly name: string;
  compress(bytes: Uint8Array): Promise<Uint8Array>;
  /**
   * Rejects with `resource_exhausted` / `MESSAGE_TOO_LARGE` as soon as there is more than `limitBytes`, and never holds
   * much more than that; with `internal` / `BAD_COMPRESSION` for what it cannot read.
   */
  decompress(bytes: Uint8Array, limitBytes: number): Promise<Uint8Array>;
}

/** The value for `grpc-accept-encoding` and its like: what can be read, `identity` first. */
export function acceptedEncodings(known: readonly Compression[]): string {
  return ['identity', ...known.map(({ name }) => name)].join(',');
}

/**
 * The compression that the messages of a body may have; undefined for none and for `identity`. Throws `unimplemented` /
 * `UNKNOWN_ENCODING` for one that is not known: whoever answers that adds `acceptedEncodings` (grpc/grpc
 * `doc/compression.md`).
 */
export function compressionOf(
  encoding: string | undefined,
  known: readonly Compression[],
): Compression | undefined {
  if (encoding === undefined || encoding === 'identity') return undefined;
  const found = known.find(({ name }) => name === encoding);
  if (found !== undefined) return found;
  const text = JSON.stringify(encoding.slice(0, 40));
  const message = `messages are compressed by ${text}; known are ${acceptedEncodings(known)}`;
  throw new HeddleError({ code: 'unimplemented', reason: 'UNKNOWN_ENCODING', message });
}

/** The first of ours that the other side takes, by its accept field. Undefined: send as it is. */
export function acceptableCompression(
  accept: string | undefined,
  known: readonly Compression[],
): Compression | undefined {
  if (accept === undefined) return undefined;
  const taken = accept.split(',').filter((each) => !/;\s*q=0(\.0*)?\s*$/.test(each));
  const names = new Set(taken.map((each) => each.split(';', 1)[0]?.trim()));
  return known.find(({ name }) => names.has(name));
}

/** Refuses a message for its size: `bytes` as announced, or unknown while it is being decompressed. */
export function messageTooLarge(limitBytes: number, bytes?: number): HeddleError {
  const size = bytes === undefined ? 'a message, decompressed,' : `a message of ${bytes} bytes`;
  const message = `${size} is larger than the limit of ${limitBytes}`;
  return new HeddleError({ code: 'resource_exhausted', reason: 'MESSAGE_TOO_LARGE', message });
}
