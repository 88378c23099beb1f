import { HeddleError } from '@heddle/kernel';
import type { Instance } from '../registry/instance.ts';

/** Connects each client of a large fleet to some instances instead of all, evenly spread over the clients. */
export interface Subsetting {
  /** To how many instances this client connects, at least 1. All, if there are not more. */
  readonly size: number;
  /**
   * Which client this is: 0, 1, 2 … (the ordinal of a replica). Consecutive numbers are spread as evenly as can be.
   * A name is spread by its hash: evenly only on average.
   */
  readonly client: number | string;
}

/** Throws `invalid_argument` / `BAD_SUBSETTING`. */
export function checkSubsetting({ size, client }: Subsetting): void {
  const isSize = Number.isInteger(size) && size >= 1;
  const isClient =
    typeof client === 'string' || (Number.isInteger(client) && client >= 0 && client < 2 ** 32);
  if (isSize && isClient) return;
  const message = `subsetting: expected a size of at least 1 and a client that is a name or a number from 0, found ${JSON.stringify({ size, client })}`;
  throw new HeddleError({ code: 'invalid_argument', reason: 'BAD_SUBSETTING', message, sent: false });
}

/**
 * The instances of this client, sorted by id as they were. The instances lie on a ring in the order of the hashes of
 * their ids; client k takes `size` neighbours from the point that is k with its bits mirrored (van der Corput), which
 * spreads any first n clients over the ring. So:
 * - of n clients, the instance with the most has at most about log2(n) more than the one with the fewest;
 * - another client moves nobody;
 * - an instance that comes or goes moves at most two of any client's connections.
 *
 * Source: P. Ward et al., "Reinventing Backend Subsetting at Google", ACM Queue 20(5), 2022 (Ringsteady).
 */
export function shareOf(
  instances: readonly Instance[],
  subsetting: Subsetting | undefined,
): readonly Instance[] {
  if (subsetting === undefined || instances.length <= subsetting.size) return instances;
  const { size, client } = subsetting;
  const ring = instances
    .map((instance) => ({ id: instance.id, hash: hash(instance.id) }))
    .toSorted((a, b) => a.hash - b.hash || (a.id < b.id ? -1 : 1));
  const point = typeof client === 'number' ? mirrored(client) : hash(client);
  const first = Math.floor((point / 2 ** 32) * ring.length);
  const chosen = new Set<string>();
  for (let at = first; at < first + size; at++) chosen.add(ring[at % ring.length]?.id ?? '');
  return instances.filter(({ id }) => chosen.has(id));
}

/** The 32 bits in reverse. */
function mirrored(value: number): number {
  let result = 0;
  for (let bit = 0; bit < 32; bit++) result = result * 2 + ((value >>> bit) & 1);
  return result;
}

/** FNV-1a over UTF-16 units, with the finish of MurmurHash3 so that neighbouring names lie far apart. 32 bits. */
function hash(text: string): number {
  let value = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x0100_0193);
  value = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2_ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
