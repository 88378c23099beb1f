import type {
  FilterChainSchema,
  FilterSchema,
} from '../../gen/envoy/config/listener/v3/listener_components_pb.ts';
import { ListenerSchema } from '../../gen/envoy/config/listener/v3/listener_pb.ts';
import { TrafficDirection } from '../../gen/envoy/config/core/v3/base_pb.ts';
import { TlsInspectorSchema } from '../../gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.ts';
import { RBACSchema } from '../../gen/envoy/extensions/filters/network/rbac/v3/rbac_pb.ts';
import { TcpProxySchema } from '../../gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.ts';
import type { InboundPort, Workload } from '../../model/listener.ts';
import type { XdsResource } from '../ads/resource.ts';
import { staticCluster } from './cluster.ts';
import { inboundManager, ownRoutes } from './connection-manager.ts';
import { socketAddress } from './endpoints.ts';
import { authorizationFilters, faultFilter, routerFilter } from './http-filters.ts';
import { duration, extension, type Init, resource } from './message.ts';
import type { Report } from './plane.ts';
import { rbacRules } from './rbac.ts';
import { meshDownstreamTls } from './tls.ts';

type Chain = Init<typeof FilterChainSchema>;

/** The listeners before a workload's ports, and the clusters that they hand over to. */
export interface Inbound {
  readonly listeners: readonly XdsResource[];
  readonly clusters: readonly XdsResource[];
}

/** What a workload's own proxy does for those who call it. */
export function inbound(workload: Workload, report: Report): Inbound {
  return {
    listeners: workload.inbound.map((port) => listener(workload, port, report)),
    clusters: workload.inbound.map(({ port, protocol, target }) =>
      staticCluster(
        clusterOf(port),
        target.address,
        target.port,
        protocol === 'http2' || protocol === 'grpc',
      ),
    ),
  };
}

function listener(workload: Workload, at: InboundPort, report: Report): XdsResource {
  const name = `inbound_${at.address}_${at.port}`;
  const filters =
    at.protocol === 'tcp' ? tcpFilters(workload, at, report) : [httpFilter(workload, at, report)];
  return resource(name, ListenerSchema, {
    name,
    address: socketAddress(at.address, at.port),
    trafficDirection: TrafficDirection.INBOUND,
    filterChains: chainsOf(at, filters),
    // It tells TLS from plaintext, and policies what name the caller has asked for.
    ...(at.mtls !== 'disable' && {
      listenerFilters: [extension('envoy.filters.listener.tls_inspector', TlsInspectorSchema)],
    }),
  });
}

/** Permissive takes both on one port, told apart by how a connection begins. */
function chainsOf({ mtls }: InboundPort, filters: Init<typeof FilterSchema>[]): Chain[] {
  const encrypted: Chain = { name: 'mtls', filters, transportSocket: meshDownstreamTls('envoy') };
  switch (mtls) {
    case 'strict':
      return [encrypted];
    case 'disable':
      return [{ name: 'plaintext', filters }];
    case 'permissive':
      return [
        { ...encrypted, filterChainMatch: { transportProtocol: 'tls' } },
        { name: 'plaintext', filters, filterChainMatch: { transportProtocol: 'raw_buffer' } },
      ];
  }
}

function httpFilter(workload: Workload, { port }: InboundPort, report: Report): Init<typeof FilterSchema> {
  const name = clusterOf(port);
  const routes = ownRoutes({
    name,
    virtualHosts: [
      {
        name: 'workload',
        domains: ['*'],
        routes: [
          {
            match: { pathSpecifier: { case: 'prefix', value: '/' } },
            action: {
              case: 'route',
              value: { clusterSpecifier: { case: 'cluster', value: name }, timeout: duration(0) },
            },
          },
        ],
      },
    ],
  });
  const filters = [...authorizationFilters(workload, report), faultFilter, routerFilter];
  return inboundManager(`inbound_${port}`, routes, filters);
}

function tcpFilters(workload: Workload, { port }: InboundPort, report: Report): Init<typeof FilterSchema>[] {
  const guards = networkGuards(workload, `inbound_${port}`, report);
  const proxy = extension('envoy.filters.network.tcp_proxy', TcpProxySchema, {
    statPrefix: `inbound_${port}`,
    clusterSpecifier: { case: 'cluster', value: clusterOf(port) },
  });
  return [...guards, proxy];
}

/** The policies of a workload for connections that are no HTTP. */
export function networkGuards(
  { policies }: Workload,
  statPrefix: string,
  report: Report,
): readonly Init<typeof FilterSchema>[] {
  return (['deny', 'allow', 'audit'] as const).flatMap((action) => {
    const { rules, shadow } = rbacRules(policies, action, { isHttp: false, report });
    if (rules === undefined && shadow === undefined) return [];
    return [
      extension('envoy.filters.network.rbac', RBACSchema, {
        statPrefix: `${statPrefix}_${action}_`,
        ...(rules !== undefined && { rules }),
        ...(shadow !== undefined && { shadowRules: shadow }),
      }),
    ];
  });
}

function clusterOf(port: number): string {
  return `inbound|${port}||`;
}
