import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { HeddleError } from '@heddle/kernel';
import { algorithmsOf, isJwtAlgorithm, type JwtAlgorithm, leastSecretBytes } from './algorithms.ts';

/** A key that may verify tokens, with the algorithms that it may be used for: a token cannot choose others. */
export interface VerifyKey {
  /** Undefined where the set names none. */
  readonly kid: string | undefined;
  readonly algorithms: readonly JwtAlgorithm[];
  readonly key: KeyObject;
}

const mostKeys = 100;
const longestKid = 256;

/**
 * Reads a JSON Web Key Set of public keys (RFC 7517). Keys for other purposes and of unknown kinds are left out. Throws
 * `failed_precondition` / `BAD_KEY_SET` for a set that cannot be trusted as a whole: one with a shared secret, a private
 * key, a weak key, or one `kid` twice.
 */
export function readKeySet(document: unknown): VerifyKey[] {
  const keys = isRecord(document) ? document['keys'] : undefined;
  if (!Array.isArray(keys)) throw badKeySet('expected an object with "keys"');
  if (keys.length > mostKeys) throw badKeySet(`expected at most ${mostKeys} keys, found ${keys.length}`);
  const made = keys.map(readPublicKey).filter((key) => key !== undefined);
  const seen = new Set<string>();
  for (const { kid } of made) {
    if (kid === undefined) continue;
    if (seen.has(kid)) throw badKeySet('two keys have one "kid"');
    seen.add(kid);
  }
  if (made.length === 0) throw badKeySet('no key in it can verify signatures');
  return made;
}

/**
 * A shared secret for HS algorithms. Throws `invalid_argument` / `WEAK_SECRET` if it is shorter than the algorithm's
 * hash.
 */
export function secretKey(secret: Uint8Array, algorithm: JwtAlgorithm, kid?: string): VerifyKey {
  const least = leastSecretBytes(algorithm);
  if (least === undefined || secret.byteLength < least) {
    const message = `a secret for ${algorithm} has at least ${least ?? 0} bytes, found ${secret.byteLength}`;
    throw new HeddleError({ code: 'invalid_argument', reason: 'WEAK_SECRET', message, sent: false });
  }
  return { kid, algorithms: [algorithm], key: createSecretKey(secret) };
}

function readPublicKey(jwk: unknown): VerifyKey | undefined {
  if (!isRecord(jwk)) throw badKeySet('a key is no object');
  const { kty, crv, alg, use, kid } = jwk;
  // A secret beside public keys: whoever can read the set could sign.
  if (kty === 'oct') throw badKeySet('a set that is published holds no shared secrets');
  if (jwk['d'] !== undefined) throw badKeySet('a private key is published');
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > longestKid))
    throw badKeySet(`a "kid" is a text of at most ${longestKid} characters`);
  if (use !== undefined && use !== 'sig') return undefined;
  const operations = jwk['key_ops'];
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return undefined;
  const possible = algorithmsOf(kty, crv);
  const algorithms = alg === undefined ? possible : possible.filter((each) => each === alg);
  if (algorithms.length === 0 || (alg !== undefined && !isJwtAlgorithm(alg))) return undefined;
  const key = imported(jwk);
  checkStrength(key);
  return { kid, algorithms, key };
}

function imported(jwk: Record<string, unknown>): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw badKeySet('a key cannot be read');
  }
}

function checkStrength(key: KeyObject): void {
  if (key.asymmetricKeyType !== 'rsa') return;
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < 2048) throw badKeySet(`an RSA key has at least 2048 bits, found ${modulusLength}`);
  if (publicExponent < 65_537n) throw badKeySet('the exponent of an RSA key is at least 65537');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function badKeySet(message: string): HeddleError {
  return new HeddleError({ code: 'failed_precondition', reason: 'BAD_KEY_SET', message, sent: false });
}
