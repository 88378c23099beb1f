import type { Registry } from '../../registry/registry.ts';
import { type RemoteRegistryOptions, remoteRegistry as withoutThread } from '../remote-registry.ts';
import { leaseThread } from './lease-thread.ts';

/** As `RemoteRegistryOptions`; the keeper is a thread. */
export interface ThreadedRegistryOptions extends Omit<RemoteRegistryOptions, 'keeper' | 'reach'> {
  /** See `LeaseThreadOptions.maxBlockedMs`. Default 60000. */
  readonly maxBlockedMs?: number;
}

/**
 * `remoteRegistry` for real processes: leases are kept by a thread while the main thread is blocked (see
 * `leaseThread`). A process that registers nothing gets no thread.
 */
export function remoteRegistry({ maxBlockedMs, ...options }: ThreadedRegistryOptions): Registry {
  const keeper = leaseThread(maxBlockedMs === undefined ? options : { ...options, maxBlockedMs });
  return withoutThread({ ...options, keeper });
}
