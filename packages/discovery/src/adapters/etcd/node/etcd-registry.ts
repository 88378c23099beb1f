import type { Registry } from '../../../registry/registry.ts';
import { asBuilt, leaseThread } from '../../../remote/node/lease-thread.ts';
import { type EtcdOptions, etcdRegistryWith } from '../etcd-registry.ts';
import type { EtcdLeaseOptions } from './etcd-lease-module.ts';

/** How a registry in etcd is used by a process. */
export interface EtcdRegistryOptions extends EtcdOptions {
  /** See `LeaseThreadOptions.maxBlockedMs`. Default 60000; 0: no thread, a blocked process loses its leases. */
  readonly maxBlockedMs?: number;
}

/**
 * A registry in etcd (3.4 and newer), by its gRPC API. Each instance is a key with a lease of its own. Leases are kept
 * by a thread while the main thread is blocked; a process that registers nothing gets none. The thread has the
 * certificates that were current when it started.
 */
export function etcdRegistry({ maxBlockedMs = 60_000, ...options }: EtcdRegistryOptions): Registry {
  if (maxBlockedMs === 0) return etcdRegistryWith(options);
  const module = asBuilt(new URL('./etcd-lease-module.ts', import.meta.url));
  const keeper = leaseThread({
    runtime: options.runtime,
    module,
    options: leaseOptions(options),
    maxBlockedMs,
  });
  return etcdRegistryWith(options, keeper);
}

/** What can be cloned; the certificates are looked at when a thread starts. */
function leaseOptions({
  addresses,
  user,
  tls,
  prefix = '/registry',
  timeoutMs = 6000,
}: EtcdOptions): EtcdLeaseOptions {
  return {
    addresses,
    user,
    prefix,
    timeoutMs,
    get tls() {
      return tls && { ...tls, source: { current: tls.source.current } };
    },
  };
}
