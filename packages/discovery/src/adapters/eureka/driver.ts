import { credentialsOf } from '../../open/credentials.ts';
import type { RegistryDriver } from '../../open/driver.ts';
import { eurekaRegistry } from './node/eureka-registry.ts';

/** `eureka://a:8761,b:8761/eureka?zone=eu-1`; for HTTP Basic `user=` with the password as secret. */
export const driver: RegistryDriver = {
  parameters: { zone: 'our own: servers there are asked first', prefix: 'before the names of applications' },
  open: async (url, world) => {
    const { addresses, path, parameters } = url;
    const prefix = parameters.get('prefix');
    return eurekaRegistry({
      runtime: world.runtime,
      servers: addresses,
      zone: parameters.get('zone'),
      ...(path !== '' && { path: `/${path}` }),
      ...(prefix !== undefined && { prefix }),
      credentials: credentialsOf(url, world),
      tls: world.tls,
      ...(world.ttlMs !== undefined && { ttlMs: world.ttlMs }),
    });
  },
};
