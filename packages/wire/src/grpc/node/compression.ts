import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { HeddleError } from '@heddle/kernel';
import { type Compression, messageTooLarge } from '../compression.ts';

/**
 * Up to here it is done at once: a hop to the thread pool and back costs more, and the simulation stays in charge of
 * time. Above, a megabyte would hold everybody else up for milliseconds.
 */
const inlineBytes = 64 * 1024;

interface Engine {
  readonly deflate: (bytes: Uint8Array) => Uint8Array;
  readonly deflateLarge: (bytes: Uint8Array) => Promise<Uint8Array>;
  readonly inflate: (bytes: Uint8Array, options: zlib.ZlibOptions) => Uint8Array;
  readonly inflateLarge: (bytes: Uint8Array, options: zlib.ZlibOptions) => Promise<Uint8Array>;
}

function compression(name: string, engine: Engine): Compression {
  return {
    name,
    compress: async (bytes) =>
      bytes.byteLength <= inlineBytes ? engine.deflate(bytes) : engine.deflateLarge(bytes),
    decompress: async (bytes, limitBytes) => {
      // zlib grows its output piece by piece and stops at the limit: a bomb costs the limit and no more.
      // What it may hold must be at least one byte.
      const options = { maxOutputLength: Math.max(1, limitBytes) };
      try {
        // By the limit, since a small message may become a large one.
        const small = bytes.byteLength <= inlineBytes / 8;
        const plain = small ? engine.inflate(bytes, options) : await engine.inflateLarge(bytes, options);
        if (plain.byteLength <= limitBytes) return plain;
      } catch (cause) {
        if (!isTooLarge(cause)) throw unreadable(name, cause);
      }
      throw messageTooLarge(limitBytes);
    },
  };
}

/** RFC 1952. */
export const gzip: Compression = compression('gzip', {
  deflate: (bytes) => zlib.gzipSync(bytes),
  deflateLarge: promisify<Uint8Array, Uint8Array>(zlib.gzip),
  inflate: zlib.gunzipSync,
  inflateLarge: promisify<Uint8Array, zlib.ZlibOptions, Uint8Array>(zlib.gunzip),
});

/** RFC 1950: what HTTP and gRPC call deflate has zlib's header and checksum. */
export const deflate: Compression = compression('deflate', {
  deflate: (bytes) => zlib.deflateSync(bytes),
  deflateLarge: promisify<Uint8Array, Uint8Array>(zlib.deflate),
  inflate: zlib.inflateSync,
  inflateLarge: promisify<Uint8Array, zlib.ZlibOptions, Uint8Array>(zlib.inflate),
});

function isTooLarge(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_BUFFER_TOO_LARGE';
}

function unreadable(name: string, cause: unknown): HeddleError {
  const message = `a message that says it is compressed by ${name} is not`;
  return new HeddleError({ code: 'internal', reason: 'BAD_COMPRESSION', message, cause });
}
