import { credentialsOf } from '../../open/credentials.ts';
import type { RegistryDriver } from '../../open/driver.ts';
import { etcdRegistry } from './node/etcd-registry.ts';

/** `etcd://a:2379,b:2379/prefix?user=web` with the password as secret; `etcd+tls://…?ca-file=…`. */
export const driver: RegistryDriver = {
  parameters: {},
  open: async (url, world) => {
    const { addresses, path } = url;
    const { runtime, tls, ttlMs } = world;
    const credentials = credentialsOf(url, world);
    return etcdRegistry({
      runtime,
      addresses,
      ...(path !== '' && { prefix: `/${path}` }),
      ...(credentials !== undefined && { user: { name: credentials.user, password: credentials.password } }),
      ...(tls !== undefined && { tls }),
      ...(ttlMs !== undefined && { ttlMs }),
    });
  },
};
