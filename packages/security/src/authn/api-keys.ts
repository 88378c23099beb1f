import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@heddle/kernel';
import { type Identity, unauthenticated } from '../identity.ts';

/** A key as it is stored: whoever reads the configuration cannot use it. */
export interface StoredApiKey {
  /** Whose it is; in logs and limits. */
  readonly id: string;
  /** SHA-256 of the key, 64 hex digits. Enough for random keys of 128 bits or more, and only for those. */
  readonly sha256: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  /** Milliseconds since 1970 UTC. Undefined: it does not expire. */
  readonly expiresMs: number | undefined;
}

const longestKey = 512;

/** Knows API keys by their hashes. Several may have one id, so that a key can be replaced while the old one still works. */
export class ApiKeys {
  readonly #byDigest = new Map<string, { readonly key: StoredApiKey; readonly digest: Buffer }>();
  readonly #clock: Clock;

  constructor(keys: readonly StoredApiKey[], clock: Clock) {
    this.#clock = clock;
    for (const key of keys) {
      const digest = Buffer.from(key.sha256, 'hex');
      this.#byDigest.set(digest.toString('hex'), { key, digest });
    }
  }

  /** Whose key it is. Throws `unauthenticated` / `BAD_API_KEY`, the same for unknown and expired ones. */
  verify(given: string): Identity {
    // What is looked up is the hash: how long that takes says nothing about any key.
    const digest = createHash('sha256')
      .update(given.slice(0, longestKey + 1))
      .digest();
    const found = this.#byDigest.get(digest.toString('hex'));
    const same = timingSafeEqual(found?.digest ?? digest, digest) && given.length <= longestKey;
    const expired = (found?.key.expiresMs ?? Number.POSITIVE_INFINITY) <= this.#clock.wallMs();
    if (found === undefined || !same || expired)
      throw unauthenticated('BAD_API_KEY', 'the API key is unknown or has expired');
    const { id, roles, scopes } = found.key;
    return { subject: id, method: 'api_key', issuer: '', roles, scopes, claims: {} };
  }
}
