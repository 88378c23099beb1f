import type { Registry } from '../../../registry/registry.ts';
import { asBuilt, leaseThread } from '../../../remote/node/lease-thread.ts';
import { type NacosRegistryOptions, nacosRegistry as withoutThread } from '../nacos-registry.ts';
import type { NacosLeaseOptions } from './nacos-lease-module.ts';

/** As `NacosRegistryOptions`; the keeper is a thread. */
export interface ThreadedNacosOptions extends Omit<NacosRegistryOptions, 'keeper' | 'onAlive'> {
  /** For how long entries are kept for a main thread that does not answer. Default 60000; 0 for no thread. */
  readonly maxBlockedMs?: number;
}

/**
 * `nacosRegistry` for real processes: while the main thread is blocked, a thread publishes what it has registered. The
 * thread has the TLS material that there was when it was made. Persistent instances need none.
 */
export function nacosRegistry({ maxBlockedMs, ...options }: ThreadedNacosOptions): Registry {
  if (maxBlockedMs === 0 || options.ephemeral === false) return withoutThread(options);
  const { runtime, addresses, namespace, group, cluster, credentials, grpcOffset, timeoutMs } = options;
  const tls = options.tls && { ...options.tls, source: { current: options.tls.source.current } };
  const alive = new SharedArrayBuffer(4);
  const count = new Int32Array(alive);
  const given: NacosLeaseOptions = {
    reach: { addresses, namespace, group, cluster, credentials, tls, grpcOffset, timeoutMs },
    ttlMs: options.ttlMs ?? 10_000,
    alive,
  };
  const keeper = leaseThread({
    runtime,
    module: asBuilt(new URL('./nacos-lease-module.ts', import.meta.url)),
    options: given,
    ...(maxBlockedMs !== undefined && { maxBlockedMs }),
  });
  return withoutThread({ ...options, keeper, onAlive: () => void Atomics.add(count, 0, 1) });
}
