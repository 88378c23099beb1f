import { unauthenticated } from '../identity.ts';
import { isJwtAlgorithm, type JwtAlgorithm } from './algorithms.ts';

/** What a token says about itself, and believed in nothing yet. */
export interface TokenHeader {
  readonly algorithm: JwtAlgorithm;
  readonly kid: string | undefined;
  readonly type: string | undefined;
}

/** Longer tokens are no tokens: nothing is parsed. */
const longestToken = 16_384;
// The alphabet of base64url, nothing else: no padding, no blanks, and no other spelling of the same bytes.
const shape = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
// Keys and where to get them are ours to say, not the token's.
const foreignKeys = ['jwk', 'jku', 'x5u', 'x5c'];

/**
 * Takes a compact token apart, strictly. Throws `unauthenticated` / `BAD_TOKEN` for what has not exactly one reading,
 * for algorithms that are none, for headers that bring their own keys, and for `crit`, since nothing critical is known.
 */
export function tokenHeader(token: string): TokenHeader {
  if (token.length > longestToken) throw bad(`longer than ${longestToken} characters`);
  if (!shape.test(token)) throw bad('not three parts of base64url');
  const [head = '', body = '', signature = ''] = token.split('.');
  for (const part of [head, body, signature])
    if (Buffer.from(part, 'base64url').toString('base64url') !== part) throw bad('not canonical base64url');
  const header = json(head);
  const { alg, kid, typ, crit, b64 } = header;
  if (!isJwtAlgorithm(alg)) throw bad('the algorithm is not one for signatures');
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > 256)) throw bad('"kid" is no short text');
  if (typ !== undefined && typeof typ !== 'string') throw bad('"typ" is no text');
  if (crit !== undefined || b64 !== undefined) throw bad('it has critical extensions');
  for (const name of foreignKeys)
    if (header[name] !== undefined) throw bad(`it brings its own key ("${name}")`);
  return { algorithm: alg, kid, type: typ };
}

/** The claims of a token whose header has been read; believed once its signature holds. Throws `BAD_TOKEN`. */
export function tokenClaims(token: string): Readonly<Record<string, unknown>> {
  return json(token.split('.')[1] ?? '');
}

function json(part: string): Record<string, unknown> {
  const bytes = Buffer.from(part, 'base64url');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), ownKeys);
  } catch {
    throw bad('a part is no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('a part is no object');
  return value as Record<string, unknown>;
}

/** `__proto__` in a claim is a name like any other to whoever signed it, and a trap to whoever reads it. */
function ownKeys(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new SyntaxError('a forbidden name');
  return value;
}

/** The error for a token that is none. */
export function bad(message: string): Error {
  return unauthenticated('BAD_TOKEN', `the token is refused: ${message}`);
}
