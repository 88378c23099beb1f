import type { RegistryDriver } from '../../open/driver.ts';
import { badUrl } from '../../open/registry-url.ts';
import { etcdRegistry } from './node/etcd-registry.ts';

/** `etcd://a:2379,b:2379/prefix?user=web` with the password as secret; `etcd+tls://…?ca-file=…`. */
export const driver: RegistryDriver = {
  parameters: {},
  open: async ({ text, addresses, path }, { runtime, user, secret, tls, ttlMs }) => {
    if (user !== undefined && secret === undefined)
      throw badUrl(text, ['user: expected its password as secret, found none']);
    return etcdRegistry({
      runtime,
      addresses,
      ...(path !== '' && { prefix: `/${path}` }),
      ...(user !== undefined && secret !== undefined && { user: { name: user, password: secret } }),
      ...(tls !== undefined && { tls }),
      ...(ttlMs !== undefined && { ttlMs }),
    });
  },
};
