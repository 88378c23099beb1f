import type { Runtime } from '@heddle/kernel';
import type { LeaseClient } from '../../../registry/lease-client.ts';
import { EurekaClient, type EurekaReach } from '../eureka-client.ts';
import { eurekaLeases } from '../eureka-leases.ts';

/** Cloned into a lease thread. */
export interface EurekaLeaseOptions {
  readonly reach: EurekaReach;
  readonly prefix: string;
  readonly ttlMs: number;
}

/** See `LeaseModule`. */
export function openLeases(runtime: Runtime, options: EurekaLeaseOptions): Pick<LeaseClient, 'renew'> {
  return eurekaLeases(new EurekaClient(runtime, options.reach), runtime.clock, options.prefix, options.ttlMs);
}
