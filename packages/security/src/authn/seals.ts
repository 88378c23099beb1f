import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { HeddleError, type Random } from '@heddle/kernel';

interface SealKey {
  /** The first bytes of a hash of the key: tells which one to open with, and nothing about it. */
  readonly id: string;
  readonly key: Buffer;
}

const leastSecretLength = 32;
const mostKeys = 5;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Encrypts and authenticates small texts that others keep for us, such as cookies (AES-256-GCM). Of several secrets the
 * first seals and all open: a new one is put in front, and the old one removed when nothing sealed by it is alive.
 */
export class Seals {
  readonly #keys: readonly SealKey[];
  readonly #random: Random;

  /** `secrets`: separated by blanks or commas. Throws `invalid_argument` / `WEAK_SECRET` for one of under 32 characters. */
  constructor(secrets: string, random: Random) {
    const given = secrets.split(/[\s,]+/).filter((each) => each !== '');
    const weak = given.find((each) => each.length < leastSecretLength);
    if (weak !== undefined || given.length === 0 || given.length > mostKeys) {
      const found = weak === undefined ? `${given.length} secrets` : `one of ${weak.length} characters`;
      const message = `expected 1 to ${mostKeys} secrets of at least ${leastSecretLength} characters to seal with, found ${found}`;
      throw new HeddleError({ code: 'invalid_argument', reason: 'WEAK_SECRET', message, sent: false });
    }
    this.#keys = given.map(keyOf);
    this.#random = random;
  }

  /** Sealed text of `[A-Za-z0-9_.-]`. Opens only for the same `purpose`. */
  seal(text: string, purpose: string): string {
    const [first] = this.#keys as readonly [SealKey];
    const nonce = this.#random.bytes(nonceBytes);
    const cipher = createCipheriv('aes-256-gcm', first.key, nonce).setAAD(Buffer.from(purpose));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${first.id}.${sealed.toString('base64url')}`;
  }

  /** The text; undefined for what was not sealed by one of the secrets, for another purpose, or was changed. */
  open(sealed: string, purpose: string): string | undefined {
    const dot = sealed.indexOf('.');
    const known = this.#keys.find(({ id }) => id === sealed.slice(0, Math.max(0, dot)));
    const bytes = Buffer.from(sealed.slice(dot + 1), 'base64url');
    if (known === undefined || bytes.length < nonceBytes + tagBytes) return undefined;
    const end = bytes.length - tagBytes;
    try {
      const cipher = createDecipheriv('aes-256-gcm', known.key, bytes.subarray(0, nonceBytes))
        .setAAD(Buffer.from(purpose))
        .setAuthTag(bytes.subarray(end));
      return cipher.update(bytes.subarray(nonceBytes, end), undefined, 'utf8') + cipher.final('utf8');
    } catch {
      return undefined;
    }
  }
}

function keyOf(secret: string): SealKey {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'heddle seal', 32));
  const id = createHash('sha256').update(key).digest('base64url').slice(0, 6);
  return { id, key };
}
