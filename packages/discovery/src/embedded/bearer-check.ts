import { createHash, timingSafeEqual } from 'node:crypto';
import { HeddleError } from '@heddle/kernel';

/**
 * Makes a check of an `authorization` field against a secret token; it throws `unauthenticated` / `BAD_TOKEN`.
 * Digests are compared, in constant time, so that neither content nor length of the token leaks. Without a token
 * everything passes.
 */
export function bearerCheck(token: string | undefined): (authorization: string | undefined) => void {
  if (token === undefined) return () => {};
  if (token === '') throw emptyToken();
  const expected = digest(token);
  return (authorization) => {
    const [scheme = '', given = ''] = (authorization ?? '').split(' ', 2);
    if (scheme.toLowerCase() === 'bearer' && timingSafeEqual(digest(given), expected)) return;
    const found = authorization === undefined ? 'none' : 'another';
    const message = `expected the registry's token as "authorization: Bearer …", found ${found}`;
    throw new HeddleError({ code: 'unauthenticated', reason: 'BAD_TOKEN', message });
  };
}

function digest(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}

function emptyToken(): HeddleError {
  const message =
    'expected a token for the registry of at least one character, found an empty one; leave it out for none';
  return new HeddleError({ code: 'invalid_argument', reason: 'EMPTY_TOKEN', message, sent: false });
}
