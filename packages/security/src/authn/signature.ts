import { compactVerify } from 'jose';
import type { JwtAlgorithm } from './algorithms.ts';
import type { VerifyKey } from './key-set.ts';
import { tokenHeader } from './token-parts.ts';

/** True if one of the keys has made the signature of a token, by an algorithm that the key is for. Never rejects. */
export async function verifySignature(token: string, keys: readonly VerifyKey[]): Promise<boolean> {
  let algorithm: JwtAlgorithm;
  try {
    ({ algorithm } = tokenHeader(token));
  } catch {
    return false;
  }
  for (const { key, algorithms } of keys) {
    // The key's own algorithms are what makes confusion impossible: what the token says only chooses among them.
    if (!algorithms.includes(algorithm)) continue;
    const verified = await compactVerify(token, key, { algorithms: [algorithm] }).then(
      () => true,
      () => false,
    );
    if (verified) return true;
  }
  return false;
}
