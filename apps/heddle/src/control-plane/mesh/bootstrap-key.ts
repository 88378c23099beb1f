import { createHmac } from 'node:crypto';

/**
 * The key of the mesh's bootstrap tokens, made from a token that all control planes of a mesh share: whoever has that can
 * make one for any workload.
 */
export function bootstrapKey(token: string): Uint8Array {
  return createHmac('sha256', token).update('heddle mesh bootstrap tokens').digest();
}
