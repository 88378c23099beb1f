import { TrafficDirection } from '../../gen/envoy/config/core/v3/base_pb.ts';
import type { FilterChainSchema } from '../../gen/envoy/config/listener/v3/listener_components_pb.ts';
import { ListenerSchema } from '../../gen/envoy/config/listener/v3/listener_pb.ts';
import { RouteConfigurationSchema } from '../../gen/envoy/config/route/v3/route_pb.ts';
import { TlsInspectorSchema } from '../../gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.ts';
import type { Cluster } from '../../model/cluster.ts';
import type { GatewayListener, GatewayServer, Workload } from '../../model/listener.ts';
import type { XdsResource } from '../ads/resource.ts';
import { connectionChains, firstOfEach } from './connection-chains.ts';
import { inboundManager, routesByName } from './connection-manager.ts';
import { socketAddress } from './endpoints.ts';
import { authorizationFilters, corsFilter, faultFilter, routerFilter } from './http-filters.ts';
import { networkGuards } from './inbound.ts';
import { extension, type Init, resource } from './message.ts';
import type { Outbound } from './outbound.ts';
import type { Report } from './plane.ts';
import { envoyRoutes } from './route.ts';
import { gatewayTls } from './tls.ts';

type Chain = Init<typeof FilterChainSchema>;

/** The listeners of a gateway and their routes. */
export function gateways(
  workload: Workload,
  clusters: ReadonlyMap<string, Cluster>,
  report: Report,
): Outbound {
  const own = workload.gateway ?? [];
  return {
    listeners: own.flatMap((at) => listener(workload, at, report) ?? []),
    routes: own.flatMap((at) =>
      at.servers.flatMap((server, index) =>
        server.protocol === 'tcp' ? [] : [routeTable(nameOf(at, index), at.port, server, clusters)],
      ),
    ),
  };
}

function listener(workload: Workload, at: GatewayListener, report: Report): XdsResource | undefined {
  const name = nameOf(at);
  const chains = firstOfEach(
    at.servers.flatMap((server, index) => chainsOf(workload, server, nameOf(at, index), at.port, report)),
  );
  // Envoy refuses one that has nothing to do.
  if (chains.length === 0) return undefined;
  const asksForName = chains.some(({ filterChainMatch }) => filterChainMatch?.serverNames !== undefined);
  return resource(name, ListenerSchema, {
    name,
    address: socketAddress(at.address, at.port),
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [...chains],
    ...(asksForName && {
      listenerFilters: [extension('envoy.filters.listener.tls_inspector', TlsInspectorSchema)],
    }),
  });
}

function chainsOf(
  workload: Workload,
  server: GatewayServer,
  name: string,
  port: number,
  report: Report,
): readonly Chain[] {
  const { tls, sni, protocol, rules } = server;
  const socket = tls === undefined || tls.mode === 'passthrough' ? undefined : gatewayTls(tls);
  const secure = socket !== undefined && { transportSocket: socket };
  if (protocol !== 'tcp') {
    const filters = [...authorizationFilters(workload, report), corsFilter, faultFilter, routerFilter];
    const named = sni.length > 0 && { filterChainMatch: { serverNames: [...sni] } };
    return [{ filters: [inboundManager(name, routesByName(name), filters)], ...named, ...secure }];
  }
  const guards = networkGuards(workload, name, report);
  const passed = connectionChains(rules, name, guards);
  // What is ended here has told its name to the server; the rules themselves ask for none.
  if (socket === undefined) return passed;
  return passed.map((chain) => ({
    ...chain,
    ...(sni.length > 0 && { filterChainMatch: { ...chain.filterChainMatch, serverNames: [...sni] } }),
    ...secure,
  }));
}

function routeTable(
  name: string,
  port: number,
  { hosts }: GatewayServer,
  clusters: ReadonlyMap<string, Cluster>,
): XdsResource {
  const taken = new Set<string>();
  const domainsOf = (names: readonly string[]): string[] =>
    names
      .flatMap((host) => (host === '*' ? [host] : [host, `${host}:${port}`]))
      // Envoy takes no name twice; the first rules are meant.
      .filter((domain) => !taken.has(domain) && taken.add(domain) !== undefined);
  return resource(name, RouteConfigurationSchema, {
    name,
    virtualHosts: hosts.flatMap(({ hosts: names, rules }) => {
      const domains = domainsOf(names);
      const routes = rules.flatMap((rule) => envoyRoutes(rule, clusters));
      return domains.length === 0 ? [] : [{ name: names.join(','), domains, routes }];
    }),
  });
}

function nameOf({ address, port }: GatewayListener, server = 0): string {
  return `gateway_${address}_${port}${server === 0 ? '' : `_${server}`}`;
}
