import type { JwtRule, TokenPlace } from '../model/index.ts';
import type { HttpFacts, TokenClaims } from './request.ts';

/** A token as it was found, with the rules whose places it was found in. */
export interface FoundToken {
  readonly raw: string;
  readonly rules: readonly JwtRule[];
  /** Where it was: removed before the request goes on, unless a rule forwards it. */
  readonly place: TokenPlace;
}

const usualPlaces: readonly TokenPlace[] = [
  { in: 'header', name: 'authorization', prefix: 'Bearer ' },
  { in: 'query', name: 'access_token', prefix: '' },
];

/** The tokens that a request shows in the places of some rules; what is elsewhere is no token. */
export function findTokens(
  rules: readonly JwtRule[],
  http: Pick<HttpFacts, 'header' | 'path'>,
): readonly FoundToken[] {
  const found = new Map<string, FoundToken>();
  for (const rule of rules) {
    for (const place of rule.from.length === 0 ? usualPlaces : rule.from) {
      const raw = tokenAt(place, http);
      if (raw === undefined) continue;
      const before = found.get(raw);
      found.set(raw, { raw, place: before?.place ?? place, rules: [...(before?.rules ?? []), rule] });
    }
  }
  return [...found.values()];
}

function tokenAt(
  { in: kind, name, prefix }: TokenPlace,
  http: Pick<HttpFacts, 'header' | 'path'>,
): string | undefined {
  if (kind === 'query') {
    const query = http.path.split('#', 1)[0]?.split('?')[1] ?? '';
    return new URLSearchParams(query).get(name) ?? undefined;
  }
  if (kind === 'cookie') {
    const cookies = (http.header('cookie') ?? '').split(';').map((each) => each.trim());
    return cookies.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
  }
  const value = http.header(name.toLowerCase());
  return value === undefined || !value.startsWith(prefix) ? undefined : value.slice(prefix.length).trim();
}

/** What a token says of itself, not verified yet; undefined for what is no JWT. */
export function unverifiedClaims(raw: string): Readonly<Record<string, unknown>> | undefined {
  return partOf(raw, 1);
}

/** The name of the key that a token says it is signed by. */
export function keyIdOf(raw: string): string | undefined {
  const kid = partOf(raw, 0)?.['kid'];
  return typeof kid === 'string' ? kid : undefined;
}

function partOf(raw: string, at: 0 | 1): Readonly<Record<string, unknown>> | undefined {
  try {
    const part: unknown = JSON.parse(Buffer.from(raw.split('.')[at] ?? '', 'base64url').toString('utf8'));
    return typeof part === 'object' && part !== null && !Array.isArray(part)
      ? (part as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

/** Why a token is not taken. `audience` is a 403, as Envoy answers; all else a 401. */
export type TokenProblem = 'malformed' | 'unknown-issuer' | 'not-valid-now' | 'audience' | 'signature';

/**
 * What a token says under a rule, or why it is not taken. The signature is the caller's to verify, before or after.
 * Times are compared with a minute's tolerance, as Envoy's are.
 */
export function claimsUnder(
  rule: JwtRule,
  claims: Readonly<Record<string, unknown>>,
  wallMs: number,
): TokenClaims | TokenProblem {
  const { iss, sub, aud, exp, nbf } = claims;
  if (rule.issuer !== '' && iss !== rule.issuer) return 'unknown-issuer';
  const skewS = 60;
  const nowS = wallMs / 1000;
  if (typeof exp === 'number' && exp + skewS < nowS) return 'not-valid-now';
  if (typeof nbf === 'number' && nbf - skewS > nowS) return 'not-valid-now';
  const audiences = Array.isArray(aud)
    ? aud.filter((each) => typeof each === 'string')
    : typeof aud === 'string'
      ? [aud]
      : [];
  if (rule.audiences.length > 0 && !audiences.some((each) => rule.audiences.includes(each)))
    return 'audience';
  return {
    issuer: typeof iss === 'string' ? iss : '',
    subject: typeof sub === 'string' ? sub : '',
    audiences,
    claims: withLists(claims, rule.spaceDelimitedClaims ?? []),
  };
}

/** Claims that are lists by blanks become lists. */
function withLists(
  claims: Readonly<Record<string, unknown>>,
  more: readonly string[],
): Readonly<Record<string, unknown>> {
  const delimited = ['scope', 'permission', ...more].filter((name) => typeof claims[name] === 'string');
  if (delimited.length === 0) return claims;
  return {
    ...claims,
    ...Object.fromEntries(delimited.map((name) => [name, String(claims[name]).split(' ')])),
  };
}
