import { createHash } from 'node:crypto';
import { type Clock, HeddleError } from '@heddle/kernel';
import { type Identity, unauthenticated } from '../identity.ts';
import { BoundedCache } from './bounded-cache.ts';
import { rolesAndScopes } from './claims.ts';

/** What `Introspection` is made from. */
export interface IntrospectionOptions {
  readonly clock: Clock;
  /** Asks the authorisation server about a token and gives the JSON of its answer. Rejects when it cannot say. */
  readonly ask: (token: string) => Promise<unknown>;
  /** The exact `iss`, if the server tells one; undefined: not compared. */
  readonly issuer?: string | undefined;
  /** One of these must be in `aud`; empty: not compared. */
  readonly audiences: readonly string[];
  readonly rolesClaim?: string | undefined;
  /** How long an answer holds, never beyond the token's own expiry. Default 10 s: so late is a revocation noticed. */
  readonly cacheMs?: number | undefined;
  /** How long after that the last good answer may still serve while the server cannot be asked. Default 0: not at all. */
  readonly staleMs?: number | undefined;
  /** Answers remembered at a time. Default 10000. */
  readonly cacheSize?: number | undefined;
}

interface Remembered {
  /** Undefined: the token is not active. */
  readonly identity: Identity | undefined;
  readonly freshUntilMs: number;
  readonly usableUntilMs: number;
}

const longestToken = 16_384;
const mostAtOnce = 256;

/**
 * Knows opaque tokens by asking who has issued them (RFC 7662). Answers are remembered by a hash of the token, refusals
 * too, so that a flood of one token is one question; one token is asked about once at a time, and a bounded number of
 * tokens at all. Where the server cannot say, nobody comes in but who was known a moment ago, as far as `staleMs` says.
 */
export class Introspection {
  readonly #options: IntrospectionOptions;
  readonly #cache: BoundedCache<Remembered>;
  readonly #running = new Map<string, Promise<Remembered>>();

  constructor(options: IntrospectionOptions) {
    this.#options = options;
    this.#cache = new BoundedCache(options.cacheSize ?? 10_000, Number.POSITIVE_INFINITY);
  }

  /**
   * Who the token is of. Rejects with `unauthenticated` / `BAD_TOKEN`, and with `unavailable` /
   * `INTROSPECTION_UNAVAILABLE` where it cannot be found out.
   */
  async verify(token: string): Promise<Identity> {
    if (token.length > longestToken || !/^[\x21-\x7e]+$/.test(token)) throw refused('it is no token');
    const key = createHash('sha256').update(token).digest('base64url');
    const nowMs = this.#options.clock.wallMs();
    const known = this.#cache.get(key);
    if (known !== undefined && nowMs < known.freshUntilMs) return identityIn(known);
    try {
      return identityIn(await this.#asked(token, key));
    } catch (thrown) {
      const error = HeddleError.from(thrown);
      if (error.code === 'unauthenticated') throw error;
      if (known?.identity !== undefined && nowMs < known.usableUntilMs) return known.identity;
      throw unavailable(error);
    }
  }

  #asked(token: string, key: string): Promise<Remembered> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    if (this.#running.size >= mostAtOnce) return Promise.reject(new Error('too many questions at once'));
    const asked = this.#options
      .ask(token)
      .then((answer) => this.#judged(answer))
      .then((made) => {
        this.#cache.set(key, made);
        return made;
      })
      .finally(() => this.#running.delete(key));
    this.#running.set(key, asked);
    return asked;
  }

  #judged(answer: unknown): Remembered {
    const { clock, cacheMs = 10_000, staleMs = 0 } = this.#options;
    if (
      typeof answer !== 'object' ||
      answer === null ||
      typeof (answer as { active?: unknown }).active !== 'boolean'
    )
      throw new Error('the answer does not say whether the token is active');
    const claims = answer as Record<string, unknown>;
    const nowMs = clock.wallMs();
    const { exp } = claims;
    const expiresMs = typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY;
    const identity = expiresMs > nowMs ? this.#identity(claims, nowMs) : undefined;
    const freshUntilMs = Math.min(nowMs + cacheMs, identity === undefined ? nowMs + cacheMs : expiresMs);
    return { identity, freshUntilMs, usableUntilMs: Math.min(freshUntilMs + staleMs, expiresMs) };
  }

  #identity(claims: Readonly<Record<string, unknown>>, nowMs: number): Identity | undefined {
    const { issuer, audiences, rolesClaim = 'roles' } = this.#options;
    const { active, iss, aud, sub, username, client_id: client, nbf } = claims;
    if (active !== true || (issuer !== undefined && iss !== issuer)) return undefined;
    if (typeof nbf === 'number' && nbf * 1000 > nowMs + 30_000) return undefined;
    const meant = typeof aud === 'string' ? [aud] : Array.isArray(aud) ? aud : [];
    if (audiences.length > 0 && !audiences.some((each) => meant.includes(each))) return undefined;
    // A token of a client itself (client credentials) has no user: the client is who comes.
    const subject = [sub, username, client].find(
      (each) => typeof each === 'string' && /^[\x20-\x7e]{1,256}$/.test(each),
    );
    if (subject === undefined) return undefined;
    const { roles, scopes } = rolesAndScopes(claims, rolesClaim);
    return {
      subject: subject as string,
      method: 'introspection',
      issuer: issuer ?? '',
      roles,
      scopes,
      claims,
    };
  }
}

function identityIn({ identity }: Remembered): Identity {
  if (identity === undefined) throw refused('it is not active, or not meant for us');
  return identity;
}

function refused(why: string): Error {
  return unauthenticated('BAD_TOKEN', `the token is refused: ${why}`);
}

function unavailable(cause: HeddleError): HeddleError {
  const message = 'it cannot be found out now whether the token is good';
  return new HeddleError({
    code: 'unavailable',
    reason: 'INTROSPECTION_UNAVAILABLE',
    message,
    cause,
    sent: false,
  });
}
