// The token that every request of the guarded gateway carries.
import { createHmac } from 'node:crypto';

export const issuer = 'bench';
/** It guards nothing: both ends of it are in this bench. */
export const secret = 'a-secret-of-the-bench-that-guards-nothing';

/** One for an hour from now. */
export function bearerToken(): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const claims = { iss: issuer, aud: 'bench', sub: 'ann', exp, roles: ['buyer'], scope: 'read write' };
  const input = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}
