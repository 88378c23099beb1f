import { type CallKey, callKey, HeddleError } from '@heddle/kernel';

/** Who a caller has proved to be. */
export interface Identity {
  /** Whom the proof names: the token's `sub`, the key's id, the user's name. */
  readonly subject: string;
  /** By what it was proved. */
  readonly method: 'jwt' | 'api_key' | 'basic' | 'introspection' | 'oidc' | 'mtls';
  /** Who vouches for it: a token's issuer; empty where it is this configuration. */
  readonly issuer: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  /** What else a token says; empty for other methods. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The identity of a call's caller; set only by an edge that has checked it. */
export const identity: CallKey<Identity | undefined> = callKey<Identity | undefined>('identity', undefined);

/** `unauthenticated`: the proof is missing or does not hold. The message says what is wrong, never what was sent. */
export function unauthenticated(reason: string, message: string): HeddleError {
  return new HeddleError({ code: 'unauthenticated', reason, message, sent: false });
}

/** `permission_denied` / `FORBIDDEN`. */
export function forbidden(message: string): HeddleError {
  return new HeddleError({ code: 'permission_denied', reason: 'FORBIDDEN', message, sent: false });
}
