import type { Layer } from '@heddle/kernel';
import { type Fields, type HttpRequest, type HttpResponse, wholeBytes } from '@heddle/wire';
import type { Compress } from '../model/route.ts';
import { acceptedCoding, compressed } from './content-coding.ts';

/** What is compressed if a route does not say it otherwise: text in all its forms. */
export const usualTypes: readonly string[] = [
  'text/*',
  'application/json',
  'application/*+json',
  'application/javascript',
  'application/xml',
  'application/*+xml',
  'application/wasm',
  'image/svg+xml',
];

/**
 * Compresses answers by what the client accepts. Left as they are: what is compressed already, parts of something, what
 * says `no-transform`, event streams, gRPC, and what is too small to gain. `Vary` is told to caches in either case.
 */
export function compress({ types, minBytes }: Compress): Layer<HttpRequest, HttpResponse> {
  const wanted = types.map((type) => new RegExp(`^${type.replace(/[.+]/g, '\\$&').replace('*', '[^;]+')}$`));
  return (next) => async (req, call) => {
    const res = await next(req, call);
    const type = (res.fields.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
    if (!wanted.some((each) => each.test(type)) || !mayBe(res, type)) return res;
    const fields = varied(res.fields.clone());
    const coding = req.method === 'HEAD' ? undefined : acceptedCoding(req.fields.get('accept-encoding'));
    const size = res.body.size;
    if (coding === undefined || (size !== undefined && size < minBytes)) return { ...res, fields };
    fields.set('content-encoding', coding).delete('content-length').delete('accept-ranges');
    const etag = fields.get('etag');
    // Other bytes than those that the strong one is for (RFC 9110 section 8.8.1).
    if (etag !== undefined && !etag.startsWith('W/')) fields.set('etag', `W/${etag}`);
    return { ...res, fields, body: compressed(res.body, coding) };
  };
}

function mayBe({ status, fields, body }: HttpResponse, type: string): boolean {
  if (status < 200 || status === 204 || status === 206 || status === 304) return false;
  if (type === 'text/event-stream' || type.startsWith('application/grpc')) return false;
  if (fields.has('content-encoding') || fields.has('content-range')) return false;
  if (/\bno-transform\b/i.test(fields.get('cache-control') ?? '')) return false;
  return wholeBytes(body)?.byteLength !== 0;
}

function varied(fields: Fields): Fields {
  const says = fields.all('vary').join(',').toLowerCase();
  return says.includes('accept-encoding') || says.includes('*')
    ? fields
    : fields.append('vary', 'accept-encoding');
}
