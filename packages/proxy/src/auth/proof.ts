import type { Call, HeddleError } from '@heddle/kernel';
import { type Identity, unauthenticated } from '@heddle/security';
import type { Fields, HttpRequest } from '@heddle/wire';

/**
 * One way to prove who one is: gives the identity, at once where it is known, or throws or rejects with
 * `unauthenticated`, with reason `NO_CREDENTIALS` where nothing was shown.
 */
export type Proof = (req: HttpRequest, call: Call) => Identity | Promise<Identity>;

const longestCredentials = 16_500;

/** The credentials of a scheme; undefined if there are none. Two `Authorization` fields mean two things, and are refused. */
export function credentialsOf(fields: Fields, scheme: string): string | undefined {
  const [value, ...more] = fields.all('authorization');
  if (more.length > 0) throw unauthenticated('BAD_CREDENTIALS', 'there is more than one Authorization field');
  if (value === undefined) return undefined;
  if (value.length > longestCredentials)
    throw unauthenticated('BAD_CREDENTIALS', 'the credentials are too long');
  const space = value.indexOf(' ');
  return space > 0 && value.slice(0, space).toLowerCase() === scheme ? value.slice(space + 1) : undefined;
}

/** `NO_CREDENTIALS`: what would be a proof here. */
export function missing(what: string): HeddleError {
  return unauthenticated('NO_CREDENTIALS', `${what} is needed here`);
}

/** All proofs hold: the first says who it is, each adds what it is allowed. */
export function joined(proved: readonly Identity[]): Identity {
  const [first] = proved;
  if (first === undefined) throw missing('a proof');
  return {
    ...first,
    roles: [...new Set(proved.flatMap(({ roles }) => roles))],
    scopes: [...new Set(proved.flatMap(({ scopes }) => scopes))],
  };
}
