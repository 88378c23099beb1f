import { TrafficDirection } from '../../gen/envoy/config/core/v3/base_pb.ts';
import { ListenerSchema } from '../../gen/envoy/config/listener/v3/listener_pb.ts';
import { RouteConfigurationSchema } from '../../gen/envoy/config/route/v3/route_pb.ts';
import { TcpProxySchema } from '../../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { GatewayListener, Workload } from '../../model/listener.ts';
import type { XdsResource } from '../ads/resource.ts';
import { inboundManager, routesByName } from './connection-manager.ts';
import { socketAddress } from './endpoints.ts';
import { authorizationFilters, corsFilter, faultFilter, routerFilter } from './http-filters.ts';
import { extension, resource } from './message.ts';
import type { Outbound } from './outbound.ts';
import type { Report } from './plane.ts';
import { envoyRoutes } from './route.ts';
import { gatewayTls } from './tls.ts';

/** The listeners of a gateway and their routes. */
export function gateways(
  workload: Workload,
  clusters: ReadonlyMap<string, Cluster>,
  report: Report,
): Outbound {
  const own = workload.gateway ?? [];
  return {
    listeners: own.map((at) => listener(workload, at, report)),
    routes: own.filter(({ protocol }) => protocol !== 'tcp').map((at) => routeTable(at, clusters)),
  };
}

function listener(workload: Workload, at: GatewayListener, report: Report): XdsResource {
  const name = nameOf(at);
  const filters = [...authorizationFilters(workload, report), corsFilter, faultFilter, routerFilter];
  const manager = inboundManager(name, routesByName(name), filters);
  const filter = at.protocol === 'tcp' ? tcp(name, at) : manager;
  return resource(name, ListenerSchema, {
    name,
    address: socketAddress(at.address, at.port),
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [
      {
        filters: [filter],
        ...(at.tls !== undefined && { transportSocket: gatewayTls(at.tls.secret, at.tls.clients) }),
      },
    ],
  });
}

function tcp(name: string, { hosts }: GatewayListener): ReturnType<typeof inboundManager> {
  const action = hosts[0]?.rules[0]?.action;
  const shares = action?.kind === 'forward' ? action.shares : [];
  return extension('envoy.filters.network.tcp_proxy', TcpProxySchema, {
    statPrefix: name,
    clusterSpecifier: {
      case: 'weightedClusters',
      value: { clusters: shares.map(({ cluster, weight }) => ({ name: cluster, weight })) },
    },
  });
}

function routeTable(at: GatewayListener, clusters: ReadonlyMap<string, Cluster>): XdsResource {
  const name = nameOf(at);
  return resource(name, RouteConfigurationSchema, {
    name,
    virtualHosts: at.hosts.map(({ hosts, rules }) => ({
      name: hosts.join(','),
      domains: hosts.flatMap((host) => (host === '*' ? [host] : [host, `${host}:${at.port}`])),
      routes: rules.flatMap((rule) => envoyRoutes(rule, clusters)),
    })),
  });
}

function nameOf({ address, port }: GatewayListener): string {
  return `gateway_${address}_${port}`;
}
