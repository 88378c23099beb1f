// The issuer of the tables' tokens: a key, what is published of it, and tokens good and bad.
import { generateKeyPairSync, sign } from 'node:crypto';
import type { CaseToken } from './case.ts';

/** A key of its own for each run. */
export class Issuer {
  readonly #own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  readonly #other = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  /** What verifies its tokens. */
  get jwks(): string {
    return JSON.stringify({
      keys: [{ kid: 'k', use: 'sig', ...this.#own.publicKey.export({ format: 'jwk' }) }],
    });
  }

  /** Makes a token of a table; `wallMs` is now. */
  token({ claims, wrong }: CaseToken, wallMs: number): string {
    if (wrong === 'garbled') return 'not-a-token';
    const now = Math.floor(wallMs / 1000);
    const times = wrong === 'expired' ? { iat: now - 7200, exp: now - 3600 } : { iat: now, exp: now + 3600 };
    const head = part({ alg: 'ES256', kid: 'k', typ: 'JWT' });
    const signed = `${head}.${part({ ...times, ...claims })}`;
    const { privateKey } = wrong === 'signature' ? this.#other : this.#own;
    const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    return `${signed}.${signature.toString('base64url')}`;
  }
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
