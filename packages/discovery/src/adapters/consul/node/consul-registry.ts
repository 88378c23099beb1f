import type { Registry } from '../../../registry/registry.ts';
import { asBuilt, leaseThread } from '../../../remote/node/lease-thread.ts';
import { type ConsulOptions, consulRegistryWith } from '../consul-registry.ts';
import type { ConsulThreadOptions } from './consul-lease-module.ts';

/** How a registry in Consul is used by a process. */
export interface ConsulRegistryOptions extends ConsulOptions {
  /** See `LeaseThreadOptions.maxBlockedMs`. Default 60000; 0: no thread, a blocked process loses its leases. */
  readonly maxBlockedMs?: number;
}

/**
 * A registry in Consul, by the HTTP API of an agent. Instances are services of that agent with a TTL check as their
 * lease. Leases are kept by a thread while the main thread is blocked; a process that registers nothing gets none. The
 * thread has the certificates that were current when it started.
 */
export function consulRegistry({ maxBlockedMs = 60_000, ...options }: ConsulRegistryOptions): Registry {
  if (maxBlockedMs === 0) return consulRegistryWith(options);
  const module = asBuilt(new URL('./consul-lease-module.ts', import.meta.url));
  const { runtime } = options;
  const keeper = leaseThread({ runtime, module, options: threadOptions(options), maxBlockedMs });
  return consulRegistryWith(options, keeper);
}

/** What can be cloned; the certificates are looked at when a thread starts. */
function threadOptions(options: ConsulOptions): ConsulThreadOptions {
  const { addresses, token, namespace, tls, timeoutMs = 6000 } = options;
  return {
    addresses,
    token,
    namespace,
    timeoutMs,
    get tls() {
      return tls && { ...tls, source: { current: tls.source.current } };
    },
  };
}
