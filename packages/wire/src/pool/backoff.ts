import type { Random } from '@heddle/kernel';

/** The wait before the first try after a failure, how it grows, and where it stops growing; in milliseconds. */
const firstMs = 100;
const growth = 1.6;
const longestMs = 30_000;
const jitter = 0.2;

/** How long to wait before connecting again after that many failures in a row (from 1): gRPC's connection back-off. */
export function backoffMs(failures: number, random: Random): number {
  const plainMs = Math.min(longestMs, firstMs * growth ** (failures - 1));
  return plainMs * (1 + jitter * (2 * random.float() - 1));
}
