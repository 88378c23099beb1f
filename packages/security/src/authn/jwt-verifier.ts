import type { Clock } from '@heddle/kernel';
import type { Identity } from '../identity.ts';
import type { JwtAlgorithm } from './algorithms.ts';
import { checkedClaims, type ClaimRules } from './claims.ts';
import type { KeySource } from './remote-keys.ts';
import { verifySignature } from './signature.ts';
import { bad, tokenClaims, tokenHeader } from './token-parts.ts';

/** One issuer whose tokens are accepted. */
export interface JwtIssuer extends ClaimRules {
  /** Only these; what a key may be used for narrows it down further. */
  readonly algorithms: readonly JwtAlgorithm[];
  readonly keys: KeySource;
}

/**
 * Verifies tokens of several issuers. The token's `iss` says which one it claims to be of, and only that issuer's keys,
 * algorithms and audiences are asked: no key of one can vouch for another.
 */
export class JwtVerifier {
  readonly #issuers = new Map<string, JwtIssuer>();
  readonly #clock: Clock;

  constructor(issuers: readonly JwtIssuer[], clock: Clock) {
    for (const issuer of issuers) this.#issuers.set(issuer.issuer, issuer);
    this.#clock = clock;
  }

  /** Who the token is of. Rejects with `unauthenticated` / `BAD_TOKEN`. */
  async verify(token: string): Promise<Identity> {
    const { algorithm, kid, type } = tokenHeader(token);
    const claims = tokenClaims(token);
    const { iss } = claims;
    const issuer = typeof iss === 'string' ? this.#issuers.get(iss) : undefined;
    if (issuer === undefined) throw bad('its issuer is not one of ours');
    if (!issuer.algorithms.includes(algorithm)) throw bad(`its issuer does not use ${algorithm}`);
    const keys = await issuer.keys.keysFor(kid);
    if (!verifySignature(token, keys)) throw bad('no key of its issuer has made its signature');
    return checkedClaims(claims, type, issuer, this.#clock.wallMs());
  }
}
