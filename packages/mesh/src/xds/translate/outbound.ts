import type { FilterChainSchema } from '../../gen/envoy/config/listener/v3/listener_components_pb.ts';
import { ListenerSchema } from '../../gen/envoy/config/listener/v3/listener_pb.ts';
import { TrafficDirection } from '../../gen/envoy/config/core/v3/base_pb.ts';
import { RouteConfigurationSchema } from '../../gen/envoy/config/route/v3/route_pb.ts';
import { TlsInspectorSchema } from '../../gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { ServiceListener } from '../../model/listener.ts';
import type { XdsResource } from '../ads/resource.ts';
import { connectionChains, firstOfEach } from './connection-chains.ts';
import { outboundManager, routesByName } from './connection-manager.ts';
import { socketAddress } from './endpoints.ts';
import { corsFilter, faultFilter, routerFilter } from './http-filters.ts';
import { extension, type Init, resource } from './message.ts';
import { envoyRoutes } from './route.ts';

/** Where Envoy listens for services that have no address of their own. */
export const sharedAddress = '127.0.0.1';

/** The listeners for those whom a proxy's application calls, and their routes. */
export interface Outbound {
  readonly listeners: readonly XdsResource[];
  readonly routes: readonly XdsResource[];
}

/** One listener for each place; services that share one are told apart by name. */
export function outbound(
  services: readonly ServiceListener[],
  clusters: ReadonlyMap<string, Cluster>,
): Outbound {
  const places = Map.groupBy(services, ({ address = sharedAddress, port }) => `${address}_${port}`);
  const listeners: XdsResource[] = [];
  const routes: XdsResource[] = [];
  for (const [place, those] of places) {
    const [first] = those;
    if (first === undefined) continue;
    const tcp = those.filter(({ protocol }) => protocol === 'tcp');
    if (tcp.length === 0) routes.push(routeTable(place, those, clusters));
    listeners.push(
      listener(`outbound_${place}`, first, tcp.length === 0 ? [httpChain(place)] : tcpChains(tcp)),
    );
  }
  return { listeners, routes };
}

function listener(
  name: string,
  { address = sharedAddress, port }: ServiceListener,
  chains: readonly Chain[],
): XdsResource {
  const asksForName = chains.some(({ filterChainMatch }) => filterChainMatch?.serverNames !== undefined);
  return resource(name, ListenerSchema, {
    name,
    address: socketAddress(address, port),
    filterChains: [...chains],
    ...(asksForName && {
      listenerFilters: [extension('envoy.filters.listener.tls_inspector', TlsInspectorSchema)],
    }),
    trafficDirection: TrafficDirection.OUTBOUND,
  });
}

type Chain = Init<typeof FilterChainSchema>;

function httpChain(place: string): Chain {
  const filters = [corsFilter, faultFilter, routerFilter];
  return { filters: [outboundManager(`outbound_${place}`, routesByName(place), filters)] };
}

/** Bytes say no more than names and addresses: of services that share a place, the first gets what no rule names. */
function tcpChains(services: readonly ServiceListener[]): readonly Chain[] {
  return firstOfEach(
    services.flatMap(({ rules, host, port }) => connectionChains(rules, `outbound_${host}_${port}`)),
  );
}

function routeTable(
  place: string,
  services: readonly ServiceListener[],
  clusters: ReadonlyMap<string, Cluster>,
): XdsResource {
  const taken = new Set<string>();
  return resource(place, RouteConfigurationSchema, {
    name: place,
    virtualHosts: services.map((service) => ({
      name: `${service.host}:${service.port}`,
      domains: domainsOf(service, taken),
      routes: service.rules.flatMap((rule) => envoyRoutes(rule, clusters)),
    })),
  });
}

/** With and without the port. A name that two services have is the first one's: Envoy takes none twice. */
function domainsOf(service: ServiceListener, taken: Set<string>): string[] {
  // An address of its own is whom a caller means, whatever name it has found it by.
  const names = service.address === undefined ? [service.host, ...service.aliases] : ['*'];
  return names
    .flatMap((name) => (name === '*' ? [name] : [name, `${name}:${service.port}`]))
    .filter((domain) => !taken.has(domain) && taken.add(domain) !== undefined);
}
