import { constants, createHmac, type KeyObject, timingSafeEqual, verify } from 'node:crypto';
import type { JwtAlgorithm } from './algorithms.ts';
import type { VerifyKey } from './key-set.ts';
import { tokenHeader } from './token-parts.ts';

/** True if one of the keys has made the signature of a token, by an algorithm that the key is for. Never throws. */
export function verifySignature(token: string, keys: readonly VerifyKey[]): boolean {
  let algorithm: JwtAlgorithm;
  try {
    ({ algorithm } = tokenHeader(token));
  } catch {
    return false;
  }
  const dot = token.lastIndexOf('.');
  const signed = Buffer.from(token.slice(0, dot));
  const signature = Buffer.from(token.slice(dot + 1), 'base64url');
  // The key's own algorithms are what makes confusion impossible: what the token says only chooses among them.
  return keys.some(
    ({ key, algorithms }) => algorithms.includes(algorithm) && holds(algorithm, signed, key, signature),
  );
}

/** Bytes of a signature by a curve: two numbers of its size, and nothing else (RFC 7518 section 3.4). */
const curveBytes: Readonly<Record<string, number>> = { ES256: 64, ES384: 96, ES512: 132 };

function holds(algorithm: JwtAlgorithm, signed: Buffer, key: KeyObject, signature: Buffer): boolean {
  const hash = `sha${algorithm.slice(2)}`;
  switch (algorithm) {
    case 'HS256':
    case 'HS384':
    case 'HS512': {
      const expected = createHmac(hash, key).update(signed).digest();
      return expected.length === signature.length && timingSafeEqual(expected, signature);
    }
    case 'RS256':
    case 'RS384':
    case 'RS512':
      return verify(hash, signed, { key, padding: constants.RSA_PKCS1_PADDING }, signature);
    case 'PS256':
    case 'PS384':
    case 'PS512': {
      const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants;
      return verify(hash, signed, { key, padding, saltLength }, signature);
    }
    case 'ES256':
    case 'ES384':
    case 'ES512':
      if (signature.length !== curveBytes[algorithm]) return false;
      return verify(hash, signed, { key, dsaEncoding: 'ieee-p1363' }, signature);
    case 'EdDSA':
      return verify(null, signed, key, signature);
  }
}
