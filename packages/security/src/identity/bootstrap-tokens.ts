import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@heddle/kernel';
import { unauthenticated } from '../identity.ts';
import { readSpiffeId, type SpiffeId, spiffeUri } from './spiffe-id.ts';

/** Tokens that a workload is started with, to get its first certificate: `<SPIFFE ID>.<until, s>.<MAC>`, each part base64url. */
export class BootstrapTokens {
  readonly #key: Uint8Array;
  readonly #clock: Clock;

  /** `key`: at least 32 unpredictable bytes, the same for all control planes of a mesh. */
  constructor(key: Uint8Array, clock: Clock) {
    this.#key = key;
    this.#clock = clock;
  }

  /** A token for that workload, good for so long. */
  make(id: SpiffeId, lifeMs: number): string {
    const untilS = Math.floor((this.#clock.wallMs() + lifeMs) / 1000);
    const said = `${Buffer.from(spiffeUri(id)).toString('base64url')}.${untilS}`;
    return `${said}.${this.#mac(said).toString('base64url')}`;
  }

  /** Whom it is for. Throws `unauthenticated`: `BAD_TOKEN`, or `TOKEN_EXPIRED`. */
  check(token: string): SpiffeId {
    const [name = '', until = '', mac = '', ...more] = token.split('.');
    const expected = this.#mac(`${name}.${until}`);
    const given = Buffer.from(mac, 'base64url');
    if (more.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected))
      throw unauthenticated('BAD_TOKEN', 'the bootstrap token is not one of this mesh');
    if (Number(until) * 1000 <= this.#clock.wallMs())
      throw unauthenticated('TOKEN_EXPIRED', 'the bootstrap token has expired');
    return readSpiffeId(Buffer.from(name, 'base64url').toString());
  }

  #mac(said: string): Buffer {
    return createHmac('sha256', this.#key).update(said).digest();
  }
}
