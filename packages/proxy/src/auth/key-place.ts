import { unauthenticated } from '@heddle/security';
import type { HttpRequest } from '@heddle/wire';

/** Where a request may bring an API key. */
export interface KeyPlaces {
  /** A header field, in lower case. */
  readonly header: string;
  /** A query parameter. It ends up in the logs of whoever is in front: for callers that can do no better. */
  readonly query: string | undefined;
  readonly cookie: string | undefined;
}

/** The key of a request; undefined without one. Throws `BAD_API_KEY` for more than one: they could mean two callers. */
export function keyIn(req: HttpRequest, { header, query, cookie }: KeyPlaces): string | undefined {
  const keys = req.fields.all(header);
  if (query !== undefined) keys.push(...parametersOf(req.path).getAll(query));
  if (cookie !== undefined) keys.push(...cookiesOf(req, cookie));
  if (keys.length > 1) throw unauthenticated('BAD_API_KEY', 'there is more than one API key');
  return keys[0];
}

/** The request without any: a key goes no further. The same object where there is none. */
export function withoutKey(req: HttpRequest, places: KeyPlaces): HttpRequest {
  const { header, query, cookie } = places;
  const inQuery = query !== undefined && parametersOf(req.path).has(query);
  const inCookie = cookie !== undefined && cookiesOf(req, cookie).length > 0;
  if (!inQuery && !inCookie && !req.fields.has(header)) return req;
  const fields = req.fields.clone().delete(header);
  if (inCookie) {
    const lines = fields.all('cookie');
    fields.delete('cookie');
    for (const line of lines) {
      const kept = line.split(';').filter((pair) => nameOf(pair) !== cookie);
      if (kept.length > 0) fields.append('cookie', kept.join(';').trim());
    }
  }
  return { ...req, fields, path: inQuery ? withoutParameter(req.path, query) : req.path };
}

function parametersOf(path: string): URLSearchParams {
  const question = path.indexOf('?');
  return new URLSearchParams(question === -1 ? '' : path.slice(question + 1));
}

/** The others stay as they were written. */
function withoutParameter(path: string, name: string): string {
  const question = path.indexOf('?');
  const kept = path
    .slice(question + 1)
    .split('&')
    .filter((part) => !new URLSearchParams(part).has(name));
  return path.slice(0, question) + (kept.length === 0 ? '' : `?${kept.join('&')}`);
}

function cookiesOf({ fields }: HttpRequest, name: string): string[] {
  const pairs = fields.all('cookie').flatMap((line) => line.split(';'));
  return pairs
    .filter((pair) => nameOf(pair) === name)
    .map((pair) => pair.slice(pair.indexOf('=') + 1).trim());
}

function nameOf(pair: string): string {
  return pair.slice(0, Math.max(0, pair.indexOf('='))).trim();
}
