import type { Clock } from '@heddle/kernel';
import type { Identity } from '../identity.ts';
import type { JwtAlgorithm } from './algorithms.ts';
import { BoundedCache } from './bounded-cache.ts';
import { checkedClaims, type ClaimRules, holdsUntilMs } from './claims.ts';
import type { KeySource } from './remote-keys.ts';
import { verifySignature } from './signature.ts';
import { bad, tokenClaims, tokenHeader } from './token-parts.ts';

/** One issuer whose tokens are accepted. */
export interface JwtIssuer extends ClaimRules {
  /** Only these; what a key may be used for narrows it down further. */
  readonly algorithms: readonly JwtAlgorithm[];
  readonly keys: KeySource;
}

/** A token that was good, and for how long it need not be looked at again. */
interface Verified {
  readonly identity: Identity;
  readonly issuer: JwtIssuer;
  /** Of the issuer's keys. */
  readonly version: number;
  readonly untilMs: number;
}

const mostRemembered = 10_000;
const mostCharacters = 16 * 1_048_576;

/**
 * Verifies tokens of several issuers. The token's `iss` says which one it claims to be of, and only that issuer's keys,
 * algorithms and audiences are asked: no key of one can vouch for another.
 * A token that was good is remembered until it expires or its issuer's keys change: 10,000 of them, 16 Mi characters.
 */
export class JwtVerifier {
  readonly #issuers = new Map<string, JwtIssuer>();
  readonly #clock: Clock;
  readonly #verified = new BoundedCache<Verified>(mostRemembered, mostCharacters);

  constructor(issuers: readonly JwtIssuer[], clock: Clock) {
    for (const issuer of issuers) this.#issuers.set(issuer.issuer, issuer);
    this.#clock = clock;
  }

  /** Who the token is of, where it was good before and still is: what `verify` would say, at once. */
  remembered(token: string): Identity | undefined {
    const known = this.#verified.get(token);
    if (known === undefined) return undefined;
    if (this.#clock.wallMs() < known.untilMs && known.version === known.issuer.keys.version())
      return known.identity;
    this.#verified.delete(token);
    return undefined;
  }

  /** Who the token is of. Rejects with `unauthenticated` / `BAD_TOKEN`. */
  async verify(token: string): Promise<Identity> {
    const known = this.remembered(token);
    if (known !== undefined) return known;
    const { algorithm, kid, type } = tokenHeader(token);
    const claims = tokenClaims(token);
    const { iss } = claims;
    const issuer = typeof iss === 'string' ? this.#issuers.get(iss) : undefined;
    if (issuer === undefined) throw bad('its issuer is not one of ours');
    if (!issuer.algorithms.includes(algorithm)) throw bad(`its issuer does not use ${algorithm}`);
    // Asked before the keys: if they change meanwhile, the token is looked at once more, rather than believed too long.
    let version = issuer.keys.version();
    let keys = await issuer.keys.keysFor(kid);
    if (version !== issuer.keys.version()) {
      version = issuer.keys.version();
      keys = await issuer.keys.keysFor(kid);
    }
    if (!verifySignature(token, keys)) throw bad('no key of its issuer has made its signature');
    const identity = checkedClaims(claims, type, issuer, this.#clock.wallMs());
    this.#verified.set(token, { identity, issuer, version, untilMs: holdsUntilMs(claims, issuer) });
    return identity;
  }
}
