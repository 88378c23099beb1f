import { credentialsOf } from '../../open/credentials.ts';
import type { RegistryDriver } from '../../open/driver.ts';
import { zooKeeperRegistry } from './node/zookeeper-registry.ts';

/** `zookeeper://a:2181,b:2181/chroot`; for the scheme `digest` `?user=web` with the password as secret. */
export const driver: RegistryDriver = {
  parameters: {},
  open: async (url, world) => {
    const { runtime, tls, ttlMs } = world;
    const credentials = credentialsOf(url, world);
    return zooKeeperRegistry({
      runtime,
      addresses: url.addresses,
      ...(url.path !== '' && { chroot: `/${url.path}` }),
      ...(credentials !== undefined && { credentials }),
      ...(tls !== undefined && { tls }),
      ...(ttlMs !== undefined && { ttlMs }),
    });
  },
};
