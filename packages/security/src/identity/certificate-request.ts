import { createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { HeddleError } from '@heddle/kernel';
import { bits, der, type Element, elements, fromPem, oid, pem, sequence, tag } from './der.ts';

/** ecdsa-with-SHA256 (RFC 5758). */
export const ecdsaWithSha256: Uint8Array = sequence(oid('1.2.840.10045.4.3.2'));

/** A request of ours, and the key that never leaves us. */
export interface MadeRequest {
  /** PEM, PKCS #10. */
  readonly request: string;
  /** PEM. */
  readonly privateKey: string;
}

/** Makes a key (P-256) and a request for its certificate. It names nobody: who it is for is what the token says. */
export function makeRequest(): MadeRequest {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const info = sequence(der(tag.integer, Uint8Array.of(0)), sequence(), spki, der(0xa0));
  const request = sequence(info, ecdsaWithSha256, bits(sign('sha256', info, privateKey)));
  return {
    request: pem('CERTIFICATE REQUEST', request),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
}

/**
 * The public key that a request is for, after its own proof: it is signed with the key's other half. What it says of
 * names and uses is not looked at. Throws `invalid_argument` / `BAD_REQUEST`.
 */
export function requestedKey(request: string): KeyObject {
  const bytes = fromPem('CERTIFICATE REQUEST', request);
  if (bytes === undefined) throw bad('expected a CERTIFICATE REQUEST in PEM');
  let key: KeyObject;
  let isProved: boolean;
  try {
    const [info, algorithm, signature] = elements(elements(bytes)[0]?.content ?? bytes);
    const [, , spki] = elements((info as Element).content);
    key = createPublicKey({ key: Buffer.from((spki as Element).whole), type: 'spki', format: 'der' });
    if (!Buffer.from((algorithm as Element).whole).equals(ecdsaWithSha256))
      throw bad('it is not signed by ECDSA with SHA-256');
    isProved = verify('sha256', (info as Element).whole, key, (signature as Element).content.subarray(1));
  } catch (thrown) {
    if (thrown instanceof HeddleError) throw thrown;
    throw bad('it cannot be read');
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw bad('its key is not of P-256');
  if (!isProved) throw bad('its signature is not of its key');
  return key;
}

function bad(why: string): HeddleError {
  const message = `the certificate request is refused: ${why}`;
  return new HeddleError({ code: 'invalid_argument', reason: 'BAD_REQUEST', message, sent: false });
}
