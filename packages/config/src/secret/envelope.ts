import { createCipheriv, createDecipheriv } from 'node:crypto';
import { HeddleError, type Random } from '@heddle/kernel';
import type { ConfigValue } from '../version/values.ts';
import type { KeyRing } from './key-ring.ts';

/** A sealed value as it is stored. */
export type SealedSecret = {
  readonly $secret: {
    /** The name of the key that opens `dataKey`. */
    readonly key: string;
    /** The key of this one value, sealed. */
    readonly dataKey: string;
    readonly data: string;
  };
};

const cipher = 'aes-256-gcm';
const [keyBytes, ivBytes, tagBytes] = [32, 12, 16];

/**
 * Seals a text for one key of one place: an envelope, in which the text is under a key of its own, and that under the
 * ring's current key (AES-256-GCM, NIST SP 800-38D). Both are bound to `where`, so that nobody moves a sealed value to
 * where it would be shown.
 */
export function seal(text: string, where: string, ring: KeyRing, random: Random): SealedSecret {
  const key = keyOf(ring, ring.current);
  const dataKey = random.bytes(keyBytes);
  const sealed = encrypt(new TextEncoder().encode(text), dataKey, where, random);
  return { $secret: { key: ring.current, dataKey: encrypt(dataKey, key, where, random), data: sealed } };
}

/** Opens it. Throws `failed_precondition` / `NO_SUCH_KEY` or `data_loss` / `BAD_SECRET`; neither shows anything of it. */
export function open(
  { $secret: { key, dataKey, data } }: SealedSecret,
  where: string,
  ring: KeyRing,
): string {
  const own = decrypt(dataKey, keyOf(ring, key), where);
  return new TextDecoder().decode(decrypt(data, own, where));
}

/** Whether a stored value is a sealed one. */
export function isSealed(value: ConfigValue): value is ConfigValue & SealedSecret {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const [[name, inner] = [], ...others] = Object.entries(value);
  if (name !== '$secret' || others.length > 0 || typeof inner !== 'object' || inner === null) return false;
  const { key, dataKey, data } = inner as Readonly<Record<string, unknown>>;
  return typeof key === 'string' && typeof dataKey === 'string' && typeof data === 'string';
}

function keyOf(ring: KeyRing, name: string): Uint8Array {
  const key = ring.keys.get(name);
  if (key !== undefined) return key;
  const message = `a secret is sealed with the key "${name}", which is not among those given: ${[...ring.keys.keys()].join(', ')}`;
  throw new HeddleError({ code: 'failed_precondition', reason: 'NO_SUCH_KEY', message, sent: false });
}

function encrypt(content: Uint8Array, key: Uint8Array, where: string, random: Random): string {
  const iv = random.bytes(ivBytes);
  const sealing = createCipheriv(cipher, key, iv).setAAD(Buffer.from(where));
  return Buffer.concat([iv, sealing.update(content), sealing.final(), sealing.getAuthTag()]).toString(
    'base64',
  );
}

function decrypt(sealed: string, key: Uint8Array, where: string): Uint8Array {
  const bytes = Buffer.from(sealed, 'base64');
  try {
    const opening = createDecipheriv(cipher, key, bytes.subarray(0, ivBytes), { authTagLength: tagBytes });
    opening.setAAD(Buffer.from(where)).setAuthTag(bytes.subarray(-tagBytes));
    return Buffer.concat([opening.update(bytes.subarray(ivBytes, -tagBytes)), opening.final()]);
  } catch {
    // What the cipher says is of no use to anybody but an attacker.
    const message = `${where}: a secret does not open: it was changed, moved from another place, or sealed with another key of that name`;
    throw new HeddleError({ code: 'data_loss', reason: 'BAD_SECRET', message });
  }
}
