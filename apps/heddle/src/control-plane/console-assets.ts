import type { HttpRequest, HttpResponse } from '@heddle/wire';
import { bytesAnswer, framing, textAnswer } from './console-answers.ts';

/** A file of the console, as it is served. */
export interface Asset {
  readonly type: string;
  readonly bytes: Uint8Array;
  /** The same compressed, by the name of the coding. */
  readonly compressed: Readonly<Partial<Record<'br' | 'gzip', Uint8Array>>>;
  /** Its name changes with its content. */
  readonly hashed: boolean;
}

/**
 * A file of the console; for the addresses of pages, which only the browser knows apart, the first page. `frames`: whence
 * pages may be shown within it.
 */
export function assetAnswer(
  assets: ReadonlyMap<string, Asset>,
  req: HttpRequest,
  frames: readonly string[] = [],
): HttpResponse {
  const path = req.path.split('?', 1)[0] ?? '/';
  if (req.method !== 'GET' && req.method !== 'HEAD') return textAnswer(405, 'files are read only\n');
  const isPage = !/\.[a-z0-9]+$/i.test(path);
  const asset = assets.get(isPage ? '/index.html' : path);
  if (asset === undefined) return textAnswer(404, 'not found\n');
  const accepted = req.fields.get('accept-encoding') ?? '';
  const coding = (['br', 'gzip'] as const).find((one) => asset.compressed[one] && accepted.includes(one));
  const bytes = (coding && asset.compressed[coding]) ?? asset.bytes;
  const answer = bytesAnswer(200, asset.type, req.method === 'HEAD' ? new Uint8Array(0) : bytes);
  if (isPage && frames.length > 0) answer.fields.set('content-security-policy', framing(frames));
  if (coding !== undefined) answer.fields.append('content-encoding', coding);
  answer.fields.append('vary', 'accept-encoding');
  if (asset.hashed) answer.fields.set('cache-control', 'public, max-age=31536000, immutable');
  return answer;
}
