import { createECDH, createHash, createPrivateKey, hkdfSync, type KeyObject } from 'node:crypto';

/** A public key that verifies JWT-SVIDs, as RFC 7517 writes it. It has no `use`: validators that are not SPIFFE’s take it too. */
export interface JwtKey {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly alg: 'ES256';
  /** The thumbprint of the key (RFC 7638). */
  readonly kid: string;
}

/** What JWT-SVIDs are signed with. */
export interface JwtSigner {
  /** Never logged. */
  readonly privateKey: KeyObject;
  readonly key: JwtKey;
}

/** The order of the curve P-256. */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * The key of an authority for tokens, made from its key for certificates (PEM): whoever shares the one has the other, so
 * that nothing more is kept or rotated. From the one for tokens nobody finds the other.
 */
export function jwtSignerOf(privateKey: string): JwtSigner {
  const secret = createPrivateKey(privateKey).export({ type: 'pkcs8', format: 'der' });
  // 16 bytes more than the curve has, so that the remainder is as likely as any other (FIPS 186-5, A.2.1).
  const seed = Buffer.from(hkdfSync('sha256', secret, '', 'heddle mesh JWT-SVID', 48));
  const scalar = (BigInt(`0x${seed.toString('hex')}`) % (order - 1n)) + 1n;
  const d = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex');
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(d);
  const point = curve.getPublicKey();
  const x = point.subarray(1, 33).toString('base64url');
  const y = point.subarray(33).toString('base64url');
  const kid = createHash('sha256')
    .update(JSON.stringify({ crv: 'P-256', kty: 'EC', x, y }))
    .digest('base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x, y } as const;
  return {
    privateKey: createPrivateKey({ key: { ...jwk, d: d.toString('base64url') }, format: 'jwk' }),
    key: { ...jwk, alg: 'ES256', kid },
  };
}
