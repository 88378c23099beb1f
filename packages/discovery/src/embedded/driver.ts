import { badUrl } from '../open/registry-url.ts';
import type { RegistryDriver } from '../open/driver.ts';
import { remoteRegistry } from '../remote/node/remote-registry.ts';
import { embeddedRegistry } from './embedded-registry.ts';

/** `embedded://host:8090`: a registry server, as `heddle control-plane` runs one; `embedded:`: one in this process. */
export const driver: RegistryDriver = {
  parameters: {},
  open: async ({ text, secure, addresses }, { runtime, secret, tls, ttlMs }) => {
    const lease = ttlMs === undefined ? {} : { ttlMs };
    if (addresses.length === 0 && secure)
      throw badUrl(text, ['TLS: expected the host of a registry server, found none']);
    if (addresses.length === 0) return embeddedRegistry(runtime, lease);
    return remoteRegistry({
      runtime,
      addresses,
      tls,
      ...lease,
      ...(secret !== undefined && { token: secret }),
    });
  },
};
