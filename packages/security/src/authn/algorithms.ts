/** The signature algorithms that tokens may be signed with (RFC 7518, RFC 8037). `none` is not one. */
export const jwtAlgorithms = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

/** One of them. */
export type JwtAlgorithm = (typeof jwtAlgorithms)[number];

/** What a key must be to be used with an algorithm. */
interface KeyNeed {
  readonly kty: 'oct' | 'RSA' | 'EC' | 'OKP';
  readonly crv?: string;
  /** Of a shared secret. */
  readonly leastBytes?: number;
}

const needs: Readonly<Record<JwtAlgorithm, KeyNeed>> = {
  HS256: { kty: 'oct', leastBytes: 32 },
  HS384: { kty: 'oct', leastBytes: 48 },
  HS512: { kty: 'oct', leastBytes: 64 },
  RS256: { kty: 'RSA' },
  RS384: { kty: 'RSA' },
  RS512: { kty: 'RSA' },
  PS256: { kty: 'RSA' },
  PS384: { kty: 'RSA' },
  PS512: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
};

/** True if the text names one of `jwtAlgorithms`. */
export function isJwtAlgorithm(value: unknown): value is JwtAlgorithm {
  return typeof value === 'string' && Object.hasOwn(needs, value);
}

/** The algorithms that a key of this kind and curve can serve. */
export function algorithmsOf(kty: unknown, crv: unknown): JwtAlgorithm[] {
  return jwtAlgorithms.filter((each) => {
    const need = needs[each];
    return need.kty === kty && (need.crv === undefined || need.crv === crv);
  });
}

/** The least length of a shared secret for the algorithm; undefined for those that use key pairs. */
export function leastSecretBytes(algorithm: JwtAlgorithm): number | undefined {
  return needs[algorithm].leastBytes;
}
