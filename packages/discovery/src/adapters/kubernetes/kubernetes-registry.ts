import type { Runtime } from '@heddle/kernel';
import { backendRegistry } from '../../registry/backend-registry.ts';
import type { Instance } from '../../registry/instance.ts';
import { authorityOf } from '../../health/probe/authority.ts';
import type { LeaseKeeper } from '../../registry/lease-keeper.ts';
import type { Registry } from '../../registry/registry.ts';
import type { KubernetesAccess } from './access.ts';
import { Collections } from './kinds.ts';
import { KubernetesClient } from './kubernetes-client.ts';
import { KubernetesLeases } from './kubernetes-leases.ts';
import { readLease } from './lease-object.ts';
import { listObjects, type WholeObject } from './object-watch.ts';
import { ServiceWatch } from './service-watch.ts';
import { instancesInSlices } from './slice-instances.ts';

/** Which cluster, and what of it. */
export interface KubernetesRegistryOptions {
  readonly runtime: Runtime;
  readonly access: KubernetesAccess;
  /** Default: that of `access`. */
  readonly namespace?: string;
  /** The named port that is called. Default: that named `grpc`, else `http`, else the first. */
  readonly port?: string;
  /**
   * Of what this process registers, 1000 to 3600000. Default 40000, as for nodes: a renewal is a write for the whole
   * cluster, and an event loop that is blocked for 20 s does not cost the lease.
   */
  readonly ttlMs?: number;
  /** Deadline of each request. Default 6000. */
  readonly timeoutMs?: number;
  /** Keeps the leases while this thread cannot. */
  readonly keeper?: LeaseKeeper | undefined;
}

/**
 * Kubernetes as a registry: what its controllers know of pods (EndpointSlices, watched with bookmarks), and what
 * programs outside of it register: a `Lease`, an EndpointSlice and a Service for each. Needs `list` and `watch` of
 * `endpointslices` and `leases`; to register also `get`, `create`, `update`, `patch` and `delete` of them, and `get`
 * and `create` of `services`. A service's name must be a name for a Service, to be registered.
 */
export function kubernetesRegistry(options: KubernetesRegistryOptions): Registry {
  const { runtime, access, namespace, port, ttlMs = 40_000, timeoutMs = 6000, keeper } = options;
  const client = new KubernetesClient({ runtime, access, timeoutMs });
  const collections = new Collections(namespace ?? access.namespace);
  const leases = new KubernetesLeases(client, collections);
  const watches = new Map<string, ServiceWatch>();
  const ownIn = (objects: readonly WholeObject[]): Instance[] =>
    objects.flatMap((object) => {
      const lease = readLease(object);
      return lease !== undefined && leases.isAlive(lease) ? [lease.instance] : [];
    });
  const list = async (service?: string): Promise<[own: Instance[], slices: WholeObject[]]> => {
    const [held, slices] = await Promise.all([
      listObjects(client, collections.leasesOf(service)),
      listObjects(client, collections.foreignSlices(service)),
    ]);
    return [ownIn(held.objects), slices.objects];
  };
  return backendRegistry(
    {
      name: 'kubernetes',
      places: [`kubernetes ${authorityOf(access.address)}${collections.leases}`],
      leases,
      find: async (service) => {
        const [own, slices] = await list(service);
        const ids = new Set(own.map(({ id }) => id));
        const foreign = instancesInSlices(service, slices, port).filter(({ id }) => !ids.has(id));
        return { instances: [...own, ...foreign] };
      },
      follow: (service, call) => {
        let watch = watches.get(service);
        if (watch === undefined) {
          watch = new ServiceWatch({ runtime, client, collections, leases, service, port });
          watches.set(service, watch);
        }
        return watch.follow(call);
      },
      services: async () => {
        const [own, slices] = await list();
        const named = slices.map((slice) => collections.serviceOf(slice.metadata.labels) ?? '');
        const foreign = named.filter((name, at) => instancesInSlices(name, [slices[at]], port).length > 0);
        return [...new Set([...own.map(({ service }) => service), ...foreign])];
      },
      close: () => client.close(),
    },
    { runtime, ttlMs, keeper },
  );
}
