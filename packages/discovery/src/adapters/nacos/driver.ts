import { credentialsOf } from '../../open/credentials.ts';
import type { RegistryDriver } from '../../open/driver.ts';
import { badUrl } from '../../open/registry-url.ts';
import { nacosRegistry } from './node/nacos-registry.ts';

/** `nacos://a:8848,b:8848/namespace?group=shop`, with `user=` and the password as secret where it wants them. */
export const driver: RegistryDriver = {
  parameters: {
    group: 'default DEFAULT_GROUP',
    cluster: 'of what is registered; default DEFAULT',
    ephemeral: 'true (default) or false: stays until it is deregistered',
  },
  open: async (url, world) => {
    const { text, addresses, path, parameters } = url;
    const ephemeral = parameters.get('ephemeral') ?? 'true';
    if (ephemeral !== 'true' && ephemeral !== 'false')
      throw badUrl(text, [`ephemeral: expected true or false, found "${ephemeral}"`]);
    return nacosRegistry({
      runtime: world.runtime,
      addresses,
      ...(path !== '' && { namespace: path }),
      group: parameters.get('group'),
      cluster: parameters.get('cluster'),
      ephemeral: ephemeral === 'true',
      credentials: credentialsOf(url, world),
      tls: world.tls,
      ...(world.ttlMs !== undefined && { ttlMs: world.ttlMs }),
    });
  },
};
