import type { Runtime } from '@heddle/kernel';
import type { LeaseClient } from '../../../registry/lease-client.ts';
import { ConsulClient, type ConsulClientOptions } from '../consul-client.ts';
import { ConsulLeases } from '../consul-leases.ts';

/** An agent, as for `consulRegistry`, cloned into a lease thread. */
export type ConsulThreadOptions = Omit<ConsulClientOptions, 'runtime'>;

/** See `LeaseModule`. */
export function openLeases(runtime: Runtime, options: ConsulThreadOptions): Pick<LeaseClient, 'renew'> {
  const client = new ConsulClient({ runtime, ...options });
  return new ConsulLeases({ runtime, client, checks: [], deregisterAfterMs: 0 });
}
