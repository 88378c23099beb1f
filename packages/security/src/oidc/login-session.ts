import type { Identity } from '../identity.ts';

/** Somebody who has logged in, as kept in a sealed cookie: all times are milliseconds since 1970 UTC. */
export interface LoginSession {
  readonly subject: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  /** Those of the ID token that the configuration asks for. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly startedMs: number;
  /** When the tokens expire: then it is refreshed, or over. */
  readonly expiresMs: number;
  readonly refreshToken?: string | undefined;
  /** Only where it is to be sent on. */
  readonly accessToken?: string | undefined;
}

/** A login that has begun, as kept in a sealed cookie until the browser comes back. */
export interface PendingLogin {
  readonly state: string;
  readonly nonce: string;
  /** The secret half of PKCE. */
  readonly verifier: string;
  /** A path of our own, with query. */
  readonly returnTo: string;
  readonly expiresMs: number;
}

/** Reads what `JSON.stringify` has made of one; undefined for anything else. It was sealed, so only its version can differ. */
export function readSession(text: string | undefined): LoginSession | undefined {
  const value: Partial<LoginSession> | undefined = parsed(text);
  const whole =
    typeof value?.subject === 'string' &&
    Array.isArray(value.roles) &&
    Array.isArray(value.scopes) &&
    typeof value.claims === 'object' &&
    typeof value.startedMs === 'number' &&
    typeof value.expiresMs === 'number';
  return whole ? (value as LoginSession) : undefined;
}

/** As `readSession`. */
export function readPending(text: string | undefined): PendingLogin | undefined {
  const value: Partial<PendingLogin> | undefined = parsed(text);
  const texts = [value?.state, value?.nonce, value?.verifier, value?.returnTo];
  const whole = texts.every((each) => typeof each === 'string') && typeof value?.expiresMs === 'number';
  return whole ? (value as PendingLogin) : undefined;
}

/** Who the session is of. */
export function identityOfSession(session: LoginSession, issuer: string): Identity {
  const { subject, roles, scopes, claims } = session;
  return { subject, method: 'oidc', issuer, roles, scopes, claims };
}

function parsed(text: string | undefined): object | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
