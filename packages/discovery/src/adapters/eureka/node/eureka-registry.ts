import type { Registry } from '../../../registry/registry.ts';
import { asBuilt, leaseThread } from '../../../remote/node/lease-thread.ts';
import { type EurekaRegistryOptions, eurekaRegistry as withoutThread } from '../eureka-registry.ts';
import type { EurekaLeaseOptions } from './eureka-lease-module.ts';

/** As `EurekaRegistryOptions`; the keeper is a thread. */
export interface ThreadedEurekaOptions extends Omit<EurekaRegistryOptions, 'keeper'> {
  /** For how long leases are kept for a main thread that does not answer. Default 60000; 0 for no thread. */
  readonly maxBlockedMs?: number;
}

/**
 * `eurekaRegistry` for real processes: leases are kept by a thread while the main thread is blocked. The thread has the
 * TLS material that there was when it was made. A process that registers nothing gets no thread.
 */
export function eurekaRegistry({ maxBlockedMs, ...options }: ThreadedEurekaOptions): Registry {
  if (maxBlockedMs === 0) return withoutThread(options);
  const { runtime, servers, zone, path, credentials, timeoutMs, prefix = '', ttlMs = 10_000 } = options;
  const tls = options.tls && { ...options.tls, source: { current: options.tls.source.current } };
  const given: EurekaLeaseOptions = {
    reach: { servers, zone, path, credentials, tls, timeoutMs },
    prefix,
    ttlMs,
  };
  const keeper = leaseThread({
    runtime,
    module: asBuilt(new URL('./eureka-lease-module.ts', import.meta.url)),
    options: given,
    ...(maxBlockedMs !== undefined && { maxBlockedMs }),
  });
  return withoutThread({ ...options, keeper });
}
