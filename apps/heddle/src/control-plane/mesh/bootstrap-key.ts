import { createHmac } from 'node:crypto';

/** The key of the mesh's bootstrap tokens: made from the registry's token, which all control planes of a mesh share. */
export function bootstrapKey(token: string): Uint8Array {
  return createHmac('sha256', token).update('heddle mesh bootstrap tokens').digest();
}
