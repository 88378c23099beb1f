import { createHmac, timingSafeEqual } from 'node:crypto';
import { HeddleError } from '@heddle/kernel';

/** The headers of a signed notification. */
export interface SignedHeaders {
  readonly 'webhook-id': string;
  /** Seconds since 1970. */
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

/**
 * Signs a body with HMAC-SHA256, over its id and the time as well.
 * Source: Standard Webhooks 1.0 (standardwebhooks.com).
 */
export function sign(secret: Uint8Array, id: string, body: string, wallMs: number): SignedHeaders {
  const timestamp = String(Math.floor(wallMs / 1000));
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${mac(secret, id, timestamp, body)}`,
  };
}

/**
 * Throws `unauthenticated` unless the body was signed with the secret not longer than `toleranceMs` ago (default five
 * minutes): an old one may be a replay.
 */
export function verifySignature(
  secret: Uint8Array,
  headers: SignedHeaders,
  body: string,
  wallMs: number,
  toleranceMs = 300_000,
): void {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  const signedMs = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) * 1000 : Number.NaN;
  if (!(Math.abs(wallMs - signedMs) <= toleranceMs))
    throw refused('SIGNATURE_TIME', 'the notification was signed too long ago, or in the future');
  const expected = Buffer.from(mac(secret, id, timestamp, body));
  // Several while a secret is being replaced.
  const fits = signatures.split(' ').some((each) => {
    const found = Buffer.from(each.startsWith('v1,') ? each.slice(3) : '');
    return found.length === expected.length && timingSafeEqual(found, expected);
  });
  if (!fits) throw refused('SIGNATURE_WRONG', 'the notification was not signed with this secret');
}

function mac(secret: Uint8Array, id: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
}

function refused(reason: string, message: string): HeddleError {
  return new HeddleError({ code: 'unauthenticated', reason, message, sent: false });
}
