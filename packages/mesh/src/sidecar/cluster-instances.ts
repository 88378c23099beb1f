import { type Instance, instance } from '@heddle/discovery';
import type { Assignment, Cluster, Locality, MeshEndpoint } from '../model/index.ts';
import { placed } from '../xds/translate/locality.ts';

/** An instance of a cluster as its balancer sees it, and as the mesh knows it. */
export interface ClusterInstance {
  readonly instance: Instance;
  readonly endpoint: MeshEndpoint;
}

/** Weights of registries are whole numbers up to this. */
const mostWeight = 65_535;

/**
 * The instances that a client at `from` calls: each with its failover group, 0 asked first, and its share. The same
 * address counts once.
 */
export function instancesOf(
  cluster: Cluster,
  assignment: Assignment | undefined,
  from: Locality,
): ReadonlyMap<string, ClusterInstance> {
  const places = placed(assignment ?? { cluster: cluster.name, endpoints: [] }, cluster.locality, from);
  const shares = places.flatMap(({ endpoints, weight, priority }) => {
    const total = endpoints.reduce((sum, each) => sum + each.weight, 0);
    return endpoints.map((endpoint) => ({
      endpoint,
      priority,
      share: cluster.locality.kind === 'distribute' ? (weight * endpoint.weight) / total : endpoint.weight,
    }));
  });
  const most = Math.max(1, ...shares.map(({ share }) => share));
  // Shares of places are fractions of each other; so many steps tell them apart.
  const scale = cluster.locality.kind === 'distribute' ? 10_000 / most : Math.min(1, mostWeight / most);
  const found = new Map<string, ClusterInstance>();
  for (const { endpoint, priority, share } of shares) {
    const { address, port, locality } = endpoint;
    const made = instance({
      service: 'mesh',
      // Who proves to be another is another: nothing of the way to the one before is used again.
      id: [`${address}:${port}`, endpoint.identity.replace('spiffe://', '')]
        .filter((part) => part !== '')
        .join('@'),
      address,
      port,
      weight: Math.max(1, Math.round(share * scale)),
      metadata: { priority: `${priority}` },
      zone: locality.zone || 'default',
      region: locality.region || 'default',
    });
    if (!found.has(made.id)) found.set(made.id, { instance: made, endpoint });
  }
  return found;
}

/** False for one that takes no new calls as long as there are others. */
export function isWell({ health }: MeshEndpoint): boolean {
  return health === 'healthy' || health === 'unknown';
}
