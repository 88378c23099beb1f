import type { RegistryDriver } from '../../open/driver.ts';
import { badUrl } from '../../open/registry-url.ts';
import { consulRegistry } from './node/consul-registry.ts';

/** `consul://127.0.0.1:8500`, the ACL token as secret. */
export const driver: RegistryDriver = {
  parameters: { namespace: 'of Consul Enterprise' },
  open: async ({ text, addresses, path, parameters }, { runtime, secret, tls, ttlMs }) => {
    if (path !== '') throw badUrl(text, [`expected no path, found "${path}"`]);
    return consulRegistry({
      runtime,
      addresses,
      token: secret,
      tls,
      namespace: parameters.get('namespace'),
      ...(ttlMs !== undefined && { ttlMs }),
    });
  },
};
