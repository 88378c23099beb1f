// Models for the scenarios: one service, `order` of the namespace `shop`, and what is changed about it.
import {
  type Cluster,
  clusterName,
  emptyModel,
  type MeshEndpoint,
  type MeshModel,
  type RouteRule,
} from '@heddle/mesh/model';

/** The service as its clients call it. */
export const order = { host: 'order.shop.svc.cluster.local', port: 8080 };

/** A cluster of `order` with the usual rules. */
export function orderCluster(subset: string, changes: Partial<Cluster> = {}): Cluster {
  return {
    name: clusterName({ ...order, subset }),
    ...order,
    subset,
    origin: 'DestinationRule shop/order',
    protocol: 'http2',
    source: 'endpoints',
    balance: { policy: 'round_robin' },
    locality: { kind: 'off' },
    pool: {},
    tls: { mode: 'off' },
    ...changes,
  };
}

/** An endpoint that is well. */
export function endpointAt(
  at: { readonly host: string; readonly port: number },
  changes: Partial<MeshEndpoint> = {},
): MeshEndpoint {
  return {
    address: at.host,
    port: at.port,
    weight: 1,
    health: 'healthy',
    locality: { region: 'west', zone: 'a', subZone: '' },
    identity: '',
    ...changes,
  };
}

/** All to one cluster. */
export function forwardTo(cluster: Cluster): RouteRule['action'] {
  return { kind: 'forward', shares: [{ cluster: cluster.name, weight: 1 }] };
}

/** A rule for every request. */
export function rule(action: RouteRule['action'], changes: Partial<RouteRule> = {}): RouteRule {
  return { name: 'rule', origin: 'VirtualService shop/order', matches: [], action, ...changes };
}

/** A model of these clusters with their endpoints, under these rules. */
export function orderModel(
  clusters: readonly (readonly [Cluster, readonly MeshEndpoint[]])[],
  rules: readonly RouteRule[],
): MeshModel {
  return {
    ...emptyModel('cluster.local'),
    services: [{ ...order, aliases: ['order', 'order.shop'], protocol: 'grpc', rules, visibleIn: [] }],
    clusters: new Map(clusters.map(([cluster]) => [cluster.name, cluster])),
    assignments: new Map(
      clusters.map(([cluster, endpoints]) => [cluster.name, { cluster: cluster.name, endpoints }]),
    ),
  };
}
