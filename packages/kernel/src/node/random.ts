import { randomBytes, randomUUID } from 'node:crypto';
import type { Random } from '../ports/random.ts';
import { xorshift128 } from '../xorshift.ts';

const next = xorshift128(randomBytes(4).readUInt32LE());

/** The system's entropy for identity and keys; a fast generator seeded from it for everything else. */
export const nodeRandom: Random = {
  float: () => next() / 0x1_0000_0000,
  uint32: next,
  uuid: () => randomUUID(),
  bytes: (count) => new Uint8Array(randomBytes(count)),
};
