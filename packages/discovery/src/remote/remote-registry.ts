import { type Address, HeddleError, type Runtime } from '@heddle/kernel';
import type { EndpointTls } from '@heddle/wire';
import { backendRegistry } from '../registry/backend-registry.ts';
import { authorityOf } from '../health/probe/authority.ts';
import type { LeaseKeeper } from '../registry/lease-keeper.ts';
import type { Registry } from '../registry/registry.ts';
import type { Reach } from '../servers/server-group.ts';
import { overHttp2 } from './over-http2.ts';
import { instancesPath, membersOf } from './protocol.ts';
import { RegistryServers } from './registry-servers.ts';
import { remoteLeases } from './remote-leases.ts';
import { followRemote } from './follow-remote.ts';
import { ServiceView } from './service-view.ts';

/** How a registry server is used. */
export interface RemoteRegistryOptions {
  readonly runtime: Runtime;
  /** Servers of one registry, at least one; the first that answers is used. They must share their data. */
  readonly addresses: readonly Address[];
  /** Sent with every request, if the server asks for one. */
  readonly token?: string;
  /** Speak TLS with the servers. Default: plain text. */
  readonly tls?: EndpointTls | undefined;
  /** Of what this process registers. Default 10000 (see `EmbeddedRegistryOptions.ttlMs`); 1000 to 3600000. */
  readonly ttlMs?: number;
  /**
   * Deadline of each request, and of the beginning of a watch. Default 6000: longer than a registry that takes 5 s per
   * answer, so that one is slow and not lost; shorter than the lease.
   */
  readonly timeoutMs?: number;
  /** How to reach an address. Default: HTTP/2 over `runtime.net`, so that all watches share a connection. */
  readonly reach?: Reach;
  /** Keeps the leases while this thread cannot (see `LeaseKeeper`). Default: nothing does. Closed with the registry. */
  readonly keeper?: LeaseKeeper;
}

/** A registry in another process, which serves `registryService`. Asks nothing until it is used. */
export function remoteRegistry(options: RemoteRegistryOptions): Registry {
  const { runtime, addresses, token, tls, ttlMs = 10_000, timeoutMs = 6000 } = options;
  const { reach = overHttp2(runtime, tls), keeper } = options;
  const servers = new RegistryServers({
    runtime,
    addresses,
    token,
    scheme: tls === undefined ? 'http' : 'https',
    timeoutMs,
    reach,
  });
  return backendRegistry(
    {
      name: 'remote',
      places: addresses.map((address) => `embedded ${authorityOf(address)}`),
      leases: remoteLeases(servers),
      find: async (service) => {
        const answer = await servers.ask({ method: 'GET', path: instancesPath(service) });
        const view = new ServiceView(service);
        view.apply(answer);
        return view.state;
      },
      follow: (service, call, known) => followRemote({ runtime, servers, service, call, known }),
      services: async () => {
        const { services } = membersOf(await servers.ask({ method: 'GET', path: '/v1/services' }));
        if (Array.isArray(services) && services.every((name) => typeof name === 'string')) return services;
        const message = 'expected a list of service names, found something else; is this a registry server?';
        throw new HeddleError({ code: 'unavailable', reason: 'NOT_A_REGISTRY', message });
      },
      close: () => servers.close(),
    },
    { runtime, ttlMs, keeper },
  );
}
