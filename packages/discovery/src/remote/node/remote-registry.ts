import type { Registry } from '../../registry/registry.ts';
import { type RemoteRegistryOptions, remoteRegistry as withoutThread } from '../remote-registry.ts';
import { asBuilt, leaseThread } from './lease-thread.ts';
import type { RemoteLeaseOptions } from './remote-lease-module.ts';

/** As `RemoteRegistryOptions`; the keeper is a thread. */
export interface ThreadedRegistryOptions extends Omit<RemoteRegistryOptions, 'keeper' | 'reach'> {
  /** See `LeaseThreadOptions.maxBlockedMs`. Default 60000. */
  readonly maxBlockedMs?: number;
}

/**
 * `remoteRegistry` for real processes: leases are kept by a thread while the main thread is blocked (see
 * `leaseThread`). A process that registers nothing gets no thread, which has the certificates that were current when it
 * started.
 */
export function remoteRegistry({ maxBlockedMs, ...options }: ThreadedRegistryOptions): Registry {
  const { runtime, addresses, token, tls, timeoutMs = 6000 } = options;
  const reach: RemoteLeaseOptions = {
    addresses,
    token,
    timeoutMs,
    get tls() {
      return tls && { ...tls, source: { current: tls.source.current } };
    },
  };
  const module = asBuilt(new URL('./remote-lease-module.ts', import.meta.url));
  const keeper = leaseThread({
    runtime,
    module,
    options: reach,
    ...(maxBlockedMs !== undefined && { maxBlockedMs }),
  });
  return withoutThread({ ...options, keeper });
}
