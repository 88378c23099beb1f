import type { Runtime } from '@heddle/kernel';
import type { LeaseClient } from '../../../registry/lease-client.ts';
import { EtcdClient, type EtcdClientOptions } from '../etcd-client.ts';
import { EtcdKeys } from '../etcd-keys.ts';
import { EtcdLeases } from '../etcd-leases.ts';

/** A cluster, as for `etcdRegistry`, cloned into a lease thread. */
export interface EtcdLeaseOptions extends Omit<EtcdClientOptions, 'runtime'> {
  readonly prefix: string;
}

/** See `LeaseModule`. */
export function openLeases(
  runtime: Runtime,
  { prefix, ...options }: EtcdLeaseOptions,
): Pick<LeaseClient, 'renew'> {
  return new EtcdLeases(new EtcdClient({ runtime, ...options }), new EtcdKeys(prefix), runtime);
}
