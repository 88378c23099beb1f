import { sign } from 'node:crypto';
import { HeddleError } from '@heddle/kernel';
import { checkTimes } from '../authn/claims.ts';
import type { JwtAlgorithm } from '../authn/algorithms.ts';
import { readKeySet } from '../authn/key-set.ts';
import { verifySignature } from '../authn/signature.ts';
import { bad, tokenClaims, tokenHeader } from '../authn/token-parts.ts';
import type { JwtKey, JwtSigner } from './jwt-key.ts';
import { readSpiffeId, type SpiffeId, spiffeUri } from './spiffe-id.ts';

/** A token that says who a workload is to those whom it names (SPIFFE's JWT-SVID). Whoever has it can show it. */
export interface JwtSvid {
  readonly spiffeId: string;
  readonly token: string;
  readonly issuedMs: number;
  readonly expiresMs: number;
}

/** The algorithms that a JWT-SVID may be signed by (JWT-SVID 2.1): none by a shared secret, and no EdDSA. */
const algorithms: ReadonlySet<JwtAlgorithm> = new Set([
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512'] as const),
]);

const mostAudiences = 8;
const longestAudience = 256;

/** Whom a token is for. Throws `invalid_argument` / `BAD_AUDIENCE` for anything but 1 to 8 texts. */
export function readAudience(value: unknown): readonly string[] {
  const isOne = (each: unknown): each is string =>
    typeof each === 'string' && each !== '' && each.length <= longestAudience;
  if (Array.isArray(value) && value.length >= 1 && value.length <= mostAudiences && value.every(isOne))
    return value;
  const message = `audience: expected 1 to ${mostAudiences} texts of 1 to ${longestAudience} characters, found ${JSON.stringify(value)?.slice(0, 100) ?? 'nothing'}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_AUDIENCE', message, sent: false });
}

/** Signs one. Its issuer is the trust domain, which is what others that verify tokens ask for. */
export function signJwtSvid(
  { privateKey, key }: JwtSigner,
  id: SpiffeId,
  audience: readonly string[],
  { issuedMs, expiresMs }: { readonly issuedMs: number; readonly expiresMs: number },
): JwtSvid {
  const spiffeId = spiffeUri(id);
  const iat = Math.floor(issuedMs / 1000);
  const exp = Math.floor(expiresMs / 1000);
  const claims = { iss: `spiffe://${id.trustDomain}`, sub: spiffeId, aud: audience, exp, iat };
  const said = [{ alg: key.alg, kid: key.kid, typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(said), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const token = `${said}.${signature.toString('base64url')}`;
  return { spiffeId, token, issuedMs, expiresMs: exp * 1000 };
}

/** What a JWT-SVID is held to. */
export interface JwtSvidRules {
  /** Of the trust domain. */
  readonly keys: readonly JwtKey[];
  readonly trustDomain: string;
  /** As whom the validator knows itself. */
  readonly audience: string;
}

/**
 * Who a JWT-SVID is of, and all that it says. Throws `unauthenticated` / `BAD_TOKEN` for what is not one of this trust
 * domain for this audience and of now.
 */
export function checkJwtSvid(
  token: string,
  { keys, trustDomain, audience }: JwtSvidRules,
  wallMs: number,
): { readonly id: SpiffeId; readonly claims: Readonly<Record<string, unknown>> } {
  const { algorithm, kid, type } = tokenHeader(token);
  if (!algorithms.has(algorithm)) throw bad(`no JWT-SVID is signed by ${algorithm}`);
  if (type !== undefined && type !== 'JWT' && type !== 'JOSE') throw bad('its "typ" is neither JWT nor JOSE');
  const possible = keys.filter((key) => kid === undefined || key.kid === kid);
  if (possible.length === 0 || !verifySignature(token, readKeySet({ keys: possible })))
    throw bad('no key of the trust domain has made its signature');
  const claims = tokenClaims(token);
  const { sub, aud } = claims;
  checkTimes(claims, {}, wallMs);
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (audience === '' || !audiences.includes(audience)) throw bad('it is not meant for us ("aud")');
  return { id: subjectOf(sub, trustDomain), claims };
}

function subjectOf(sub: unknown, trustDomain: string): SpiffeId {
  let id: SpiffeId;
  try {
    id = readSpiffeId(typeof sub === 'string' ? sub : '');
  } catch {
    throw bad('it names no workload ("sub")');
  }
  if (id.trustDomain !== trustDomain) throw bad('it is of another trust domain ("sub")');
  return id;
}
