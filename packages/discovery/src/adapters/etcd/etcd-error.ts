import { type Code, HeddleError } from '@heddle/kernel';

/** What etcd says, in words that it has kept since 3.0, and what that is here. */
const known: readonly (readonly [words: RegExp, reason: string, code?: Code])[] = [
  [/lease already exists/, 'LEASE_EXISTS'],
  [/requested lease not found/, 'LEASE_NOT_FOUND'],
  [/required revision has been compacted/, 'COMPACTED'],
  [/authentication is not enabled/, 'AUTH_OFF'],
  [/invalid auth token|revision of auth store is old/, 'TOKEN_REFUSED', 'unauthenticated'],
  [/authentication failed/, 'BAD_CREDENTIALS', 'unauthenticated'],
  [/user name is empty/, 'NO_CREDENTIALS', 'unauthenticated'],
  [/permission denied/, 'NOT_ALLOWED', 'permission_denied'],
];

/** The same error with a reason, and a code that says who has to do something about it. */
export function etcdError(error: HeddleError): HeddleError {
  if (error.reason !== 'UPSTREAM_STATUS') return error;
  const found = known.find(([words]) => words.test(error.message));
  if (found === undefined) return error;
  const [, reason, code = error.code] = found;
  return new HeddleError({ code, reason, message: error.message, sent: error.sent });
}
