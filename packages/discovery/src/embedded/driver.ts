import { HeddleError } from '@heddle/kernel';
import type { RegistryDriver } from '../open/driver.ts';
import { remoteRegistry } from '../remote/node/remote-registry.ts';
import { embeddedRegistry } from './embedded-registry.ts';

/** `embedded://host:8090`: a registry server, as `heddle control-plane` runs one; `embedded:`: one in this process. */
export const driver: RegistryDriver = {
  parameters: {},
  open: async ({ addresses, secure }, { runtime, secret, ttlMs }) => {
    if (secure) throw noTls();
    const lease = ttlMs === undefined ? {} : { ttlMs };
    if (addresses.length === 0) return embeddedRegistry(runtime, lease);
    return remoteRegistry({ runtime, addresses, ...lease, ...(secret !== undefined && { token: secret }) });
  },
};

function noTls(): HeddleError {
  const message = 'registry servers of Heddle do not speak TLS by themselves; put the mesh before them';
  return new HeddleError({ code: 'unimplemented', reason: 'UNSUPPORTED', message, sent: false });
}
