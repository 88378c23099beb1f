import { RouteConfigurationSchema } from '../../gen/envoy/config/route/v3/route_pb.ts';
import { ListenerSchema } from '../../gen/envoy/config/listener/v3/listener_pb.ts';
import { HttpConnectionManagerSchema } from '../../gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { InboundPort, ServiceListener, Workload } from '../../model/listener.ts';
import type { XdsResource } from '../ads/resource.ts';
import { socketAddress } from './endpoints.ts';
import { authorizationFilters, faultFilter, routerFilter } from './http-filters.ts';
import { any, extension, resource } from './message.ts';
import type { Outbound } from './outbound.ts';
import type { Report } from './plane.ts';
import { grpcRoutes } from './grpc-route.ts';
import { meshDownstreamTls, overAds } from './tls.ts';

/** What clients of gRPC ask for: a listener by each name that a service has, `host:port`, and its routes. */
export function grpcClients(
  services: readonly ServiceListener[],
  clusters: ReadonlyMap<string, Cluster>,
  report: Report,
): Outbound {
  const listeners = new Map<string, XdsResource>();
  const routes: XdsResource[] = [];
  for (const service of services) {
    if (service.protocol === 'tcp') continue;
    const name = `${service.host}:${service.port}`;
    routes.push(routeTable(name, service, clusters, report));
    for (const host of [service.host, ...service.aliases]) {
      const listener = clientListener(`${host}:${service.port}`, name);
      if (!listeners.has(listener.name)) listeners.set(listener.name, listener);
    }
  }
  return { listeners: [...listeners.values()], routes };
}

function clientListener(name: string, routeConfigName: string): XdsResource {
  const manager = any(HttpConnectionManagerSchema, {
    statPrefix: name,
    routeSpecifier: { case: 'rds', value: { configSource: overAds, routeConfigName } },
    httpFilters: [faultFilter, routerFilter],
  });
  return resource(name, ListenerSchema, { name, apiListener: { apiListener: manager } });
}

function routeTable(
  name: string,
  service: ServiceListener,
  clusters: ReadonlyMap<string, Cluster>,
  report: Report,
): XdsResource {
  const routes = service.rules.flatMap((rule) => grpcRoutes(rule, clusters, report));
  return resource(name, RouteConfigurationSchema, {
    name,
    virtualHosts: [{ name, domains: ['*'], routes }],
  });
}

/** What `server_listener_resource_name_template` of a program's bootstrap must be. */
export const serverListenerTemplate = 'grpc/server?xds.resource.listening_address=%s';

/** What servers of gRPC ask for, by the address that they listen at. */
export function grpcServers(workload: Workload, report: Report): readonly XdsResource[] {
  return workload.inbound
    .filter(({ protocol }) => protocol === 'grpc')
    .map((port) => serverListener(workload, port, report));
}

function serverListener(
  workload: Workload,
  { address, port, mtls }: InboundPort,
  report: Report,
): XdsResource {
  const origin = `${workload.namespace}/${workload.name}:${port}`;
  if (mtls === 'permissive')
    report({ plane: 'grpc', origin, what: 'PERMISSIVE mTLS', instead: 'plaintext, as Istio has it' });
  if (workload.jwt.length > 0)
    report({
      plane: 'grpc',
      origin,
      what: 'RequestAuthentication',
      instead: 'tokens are not looked at: what needs one is refused',
    });
  const name = serverListenerTemplate.replace('%s', `${address}:${port}`);
  const manager = extension('envoy.filters.network.http_connection_manager', HttpConnectionManagerSchema, {
    statPrefix: `inbound_${port}`,
    httpFilters: [...authorizationFilters({ policies: workload.policies, jwt: [] }, report), routerFilter],
    routeSpecifier: {
      case: 'routeConfig',
      value: {
        name: `inbound|${port}||`,
        virtualHosts: [
          {
            name: 'workload',
            domains: ['*'],
            routes: [
              {
                match: { pathSpecifier: { case: 'prefix', value: '/' } },
                action: { case: 'nonForwardingAction', value: {} },
              },
            ],
          },
        ],
      },
    },
  });
  return resource(name, ListenerSchema, {
    name,
    address: socketAddress(address, port),
    filterChains: [
      {
        name: 'inbound',
        filters: [manager],
        ...(mtls === 'strict' && { transportSocket: meshDownstreamTls('grpc') }),
      },
    ],
  });
}
