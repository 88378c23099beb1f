import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { type Body, streamBody, wholeBody, wholeBytes } from '@heddle/wire';

/** A content coding that answers are compressed by, the smaller first. */
export const codings = ['br', 'gzip'] as const;

/** One of them. */
export type ContentCoding = (typeof codings)[number];

/** Of brotli's eleven: better than gzip and about as fast. */
const quality = 4;
/** Up to here it is done at once: a hop to the thread pool and back costs more. */
const inlineBytes = 32 * 1024;

/**
 * The coding that the client likes best, ours first where it likes them equally (RFC 9110 section 12.5.3); undefined for
 * none. Without the field nothing is compressed.
 */
export function acceptedCoding(accept: string | undefined): ContentCoding | undefined {
  if (accept === undefined) return undefined;
  const weights = new Map<string, number>();
  for (const each of accept.toLowerCase().split(',')) {
    const [name = '', ...parameters] = each.split(';').map((part) => part.trim());
    const weight = parameters.find((part) => part.startsWith('q='));
    weights.set(name, weight === undefined ? 1 : Number(weight.slice(2)) || 0);
  }
  const of = (coding: ContentCoding): number => weights.get(coding) ?? weights.get('*') ?? 0;
  const [best] = codings.toSorted((a, b) => of(b) - of(a));
  return best !== undefined && of(best) > 0 && of(best) >= (weights.get('identity') ?? 0) ? best : undefined;
}

/** The same content, compressed. What comes piece by piece goes on piece by piece. */
export function compressed(body: Body, coding: ContentCoding): Body {
  const bytes = wholeBytes(body);
  if (bytes !== undefined && bytes.byteLength <= inlineBytes)
    return wholeBody(atOnce(bytes, coding), body.trailers);
  return streamBody(pieces(body, coding), { trailers: () => body.trailers });
}

const brotli = (size: number | undefined): zlib.BrotliOptions => ({
  params: {
    [zlib.constants.BROTLI_PARAM_QUALITY]: quality,
    ...(size !== undefined && { [zlib.constants.BROTLI_PARAM_SIZE_HINT]: size }),
  },
});

function atOnce(bytes: Uint8Array, coding: ContentCoding): Uint8Array {
  return coding === 'gzip' ? zlib.gzipSync(bytes) : zlib.brotliCompressSync(bytes, brotli(bytes.byteLength));
}

async function* pieces(body: Body, coding: ContentCoding): AsyncGenerator<Uint8Array, void> {
  const engine = coding === 'gzip' ? zlib.createGzip() : zlib.createBrotliCompress(brotli(body.size));
  let made: Uint8Array[] = [];
  engine.on('data', (chunk: Uint8Array) => made.push(chunk));
  const taken = (): Uint8Array[] => {
    const all = made;
    made = [];
    return all;
  };
  // Nobody knows when the next piece of a body without a size comes: what is there must not wait for it.
  const flushes = body.size === undefined;
  try {
    for await (const chunk of body) {
      await done(engine, (then) => engine.write(chunk, then));
      if (flushes) await done(engine, (then) => engine.flush(then));
      yield* taken();
    }
    await done(engine, (then) => engine.once('end', then).end());
    yield* taken();
  } finally {
    engine.destroy();
  }
}

function done(engine: Transform, start: (then: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    engine.once('error', reject);
    start(() => {
      engine.off('error', reject);
      resolve();
    });
  });
}
