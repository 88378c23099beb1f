import { backendRegistry } from '../../registry/backend-registry.ts';
import { History } from '../../registry/history.ts';
import { authorityOf } from '../../health/probe/authority.ts';
import { InstanceTexts } from '../../registry/instance-texts.ts';
import type { LeaseKeeper } from '../../registry/lease-keeper.ts';
import type { Registry } from '../../registry/registry.ts';
import { EtcdClient, type EtcdClientOptions } from './etcd-client.ts';
import { EtcdKeys } from './etcd-keys.ts';
import { EtcdLeases } from './etcd-leases.ts';
import { EtcdEras, type EtcdReading, findEtcd, followEtcd } from './follow-etcd.ts';

/** How a registry in etcd is used. */
export interface EtcdOptions extends Omit<EtcdClientOptions, 'timeoutMs'> {
  /** Before all keys, which are `<prefix>/<service>/<host:port>`. Default `/registry`. */
  readonly prefix?: string;
  /** The lease of what this process registers, rounded up to seconds. Default 30000; at least 1000. */
  readonly ttlMs?: number;
  /** Deadline of each request. Default 6000: longer than a server that takes 5 s per answer. */
  readonly timeoutMs?: number;
}

/** The registry; `keeper` keeps the leases while this thread cannot. */
export function etcdRegistryWith(options: EtcdOptions, keeper?: LeaseKeeper): Registry {
  const { runtime, prefix = '/registry', ttlMs = 30_000, timeoutMs = 6000 } = options;
  const client = new EtcdClient({ ...options, timeoutMs });
  const keys = new EtcdKeys(prefix);
  const history = new History(runtime.clock);
  const [eras, texts] = [new EtcdEras(history), new InstanceTexts()];
  const reading: EtcdReading = { runtime, client, keys, eras, texts };
  return backendRegistry(
    {
      name: 'etcd',
      places: options.addresses.map((address) => `etcd ${authorityOf(address)}${prefix}`),
      leases: new EtcdLeases(client, keys, runtime),
      find: (service) => findEtcd(reading, service),
      follow: (service, call) => followEtcd(reading, service, call),
      services: async () => {
        const { kvs } = await client.range({ ...keys.all, keysOnly: true });
        return [...new Set(kvs.flatMap(({ key }) => keys.serviceOf(key) ?? []))];
      },
      close: () => client.close(),
    },
    { runtime, ttlMs, keeper, history },
  );
}
