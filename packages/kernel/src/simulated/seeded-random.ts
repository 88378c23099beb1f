import type { Random } from '../ports/random.ts';
import { xorshift128 } from '../xorshift.ts';

/** Chance under a seed (any 32-bit number): the same seed, the same numbers, on every machine. */
export function seededRandom(seed: number): Random {
  const next = xorshift128(seed);
  const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => next() >>> 24);
  return {
    float: () => next() / 0x1_0000_0000,
    uint32: next,
    uuid: () => uuidFrom(bytes(16)),
    bytes,
  };
}

function uuidFrom(bytes: Uint8Array): string {
  // Version and variant as RFC 9562 section 5.4 lays them down.
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
