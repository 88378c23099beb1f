import type { Registry } from '../../../registry/registry.ts';
import { asBuilt, leaseThread } from '../../../remote/node/lease-thread.ts';
import { zooKeeperRegistry as withoutThread, type ZooKeeperRegistryOptions } from '../zookeeper-registry.ts';
import { SharedSession } from './shared-session.ts';
import type { ZooKeeperLeaseOptions } from './zookeeper-lease-module.ts';

/** As `ZooKeeperRegistryOptions`; the keeper is a thread. */
export interface ThreadedZooKeeperOptions extends Omit<ZooKeeperRegistryOptions, 'keeper' | 'onSession'> {
  /** For how long the session is kept for a main thread that does not answer. Default 60000; 0 for no thread. */
  readonly maxBlockedMs?: number;
}

/**
 * `zooKeeperRegistry` for real processes: while the main thread is blocked, a thread goes on with its session. The
 * thread has the TLS material that there was when it was made. A process that registers nothing gets no thread.
 */
export function zooKeeperRegistry({ maxBlockedMs, ...options }: ThreadedZooKeeperOptions): Registry {
  if (maxBlockedMs === 0) return withoutThread(options);
  const shared = new SharedSession();
  const tls = options.tls && { ...options.tls, source: { current: options.tls.source.current } };
  const given: ZooKeeperLeaseOptions = { addresses: options.addresses, tls, session: shared.memory };
  const keeper = leaseThread({
    runtime: options.runtime,
    module: asBuilt(new URL('./zookeeper-lease-module.ts', import.meta.url)),
    options: given,
    ...(maxBlockedMs !== undefined && { maxBlockedMs }),
  });
  return withoutThread({ ...options, keeper, onSession: (session) => shared.write(session) });
}
