import type { Identity } from '../identity.ts';
import { bad } from './token-parts.ts';

/** What the claims of an issuer's tokens must be. */
export interface ClaimRules {
  /** The exact `iss`. */
  readonly issuer: string;
  /** One of these must be in `aud`. */
  readonly audiences: readonly string[];
  /** How far the clocks may be apart. Default 30 s, at most 60. */
  readonly skewMs?: number;
  /** How far in the future `exp` may be. Default one day. */
  readonly maxLifetimeMs?: number;
  /** The only accepted `typ`, without case, e.g. `at+jwt`. Default: none, `JWT` or `at+jwt`. */
  readonly type?: string;
  /** The claim with the roles, a dot for each step down: `realm_access.roles`. Default `roles`. */
  readonly rolesClaim?: string;
}

const usualTypes = new Set(['jwt', 'at+jwt', 'application/at+jwt']);

/** The identity that signed claims give. Throws `BAD_TOKEN` where they do not hold now or here. */
export function checkedClaims(
  claims: Readonly<Record<string, unknown>>,
  type: string | undefined,
  rules: ClaimRules,
  wallMs: number,
): Identity {
  checkType(type, rules);
  checkTimes(claims, rules, wallMs);
  const { aud, sub, iss } = claims;
  if (iss !== rules.issuer) throw bad('its issuer is not one of ours');
  const audiences = typeof aud === 'string' ? [aud] : texts(aud);
  if (!audiences.some((each) => rules.audiences.includes(each))) throw bad('it is not meant for us ("aud")');
  if (typeof sub !== 'string' || sub === '' || sub.length > 256 || !/^[\x20-\x7e]*$/.test(sub))
    throw bad('it names nobody ("sub")');
  const { roles, scopes } = rolesAndScopes(claims, rules.rolesClaim ?? 'roles');
  return { subject: sub, method: 'jwt', issuer: rules.issuer, roles, scopes, claims };
}

/** What claims allow: the roles by their claim, the scopes of `scope` (RFC 8693) or `scp`. */
export function rolesAndScopes(
  claims: Readonly<Record<string, unknown>>,
  rolesClaim: string,
): { readonly roles: string[]; readonly scopes: string[] } {
  const { scope, scp } = claims;
  const scopes = typeof scope === 'string' ? scope.split(' ').filter((each) => each !== '') : texts(scp);
  return { roles: texts(at(claims, rolesClaim)), scopes };
}

/** When claims that have been checked stop holding, in milliseconds since 1970 UTC. */
export function holdsUntilMs(
  claims: Readonly<Record<string, unknown>>,
  { skewMs = 30_000 }: ClaimRules,
): number {
  const { exp } = claims;
  return typeof exp === 'number' ? exp * 1000 + skewMs : 0;
}

/** The claim at a dotted path. */
export function at(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  let value: unknown = claims;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

function checkType(type: string | undefined, { type: wanted }: ClaimRules): void {
  const given = type?.toLowerCase();
  const holds =
    wanted === undefined ? given === undefined || usualTypes.has(given) : given === wanted.toLowerCase();
  if (!holds) throw bad('it is a token of another kind ("typ")');
}

/** Throws `BAD_TOKEN` unless the claims say that they hold now, and not for ever. */
export function checkTimes(
  claims: Readonly<Record<string, unknown>>,
  rules: Pick<ClaimRules, 'skewMs' | 'maxLifetimeMs'>,
  wallMs: number,
): void {
  const { skewMs = 30_000, maxLifetimeMs = 86_400_000 } = rules;
  const expiresMs = seconds(claims, 'exp');
  if (expiresMs === undefined) throw bad('it never expires ("exp")');
  if (expiresMs + skewMs <= wallMs) throw bad('it has expired');
  if (expiresMs - wallMs > maxLifetimeMs + skewMs) throw bad('it expires too late ("exp")');
  const fromMs = seconds(claims, 'nbf');
  if (fromMs !== undefined && fromMs - skewMs > wallMs) throw bad('it is not valid yet ("nbf")');
  const issuedMs = seconds(claims, 'iat');
  if (issuedMs !== undefined && issuedMs - skewMs > wallMs) throw bad('it is of the future ("iat")');
}

function seconds(claims: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw bad(`"${name}" is no time`);
  return value * 1000;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
