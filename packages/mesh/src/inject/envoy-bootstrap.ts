import { controlPlaneRootsFile, healthPort } from './inject-settings.ts';
import { type JsonMembers, membersIn, objectsIn, textOf } from './json-value.ts';
import type { SidecarSubject } from './sidecar-subject.ts';

const adminPort = 15_000;

/** How a stock Envoy is started as a sidecar. Kubernetes fills in `$(POD_NAME)` and the like. */
export function envoyArguments(subject: SidecarSubject): readonly string[] {
  const { logLevel = 'warning', drainSeconds } = subject.wishes;
  return [
    '--config-yaml',
    JSON.stringify(envoyBootstrap(subject)),
    '--log-level',
    logLevel === 'warn' ? 'warning' : logLevel,
    '--concurrency',
    '2',
    '--disable-hot-restart',
    ...(drainSeconds === undefined ? [] : ['--drain-time-s', textOf(drainSeconds)]),
  ];
}

/** A bootstrap that gets everything from the control plane, but for its own pages and the probes of the application. */
export function envoyBootstrap({ settings, namespace, workload, probes }: SidecarSubject): JsonMembers {
  const { host, port } = settings.controlPlane;
  const ads = { ads: {}, resource_api_version: 'V3' };
  const targets = probeTargets(probes);
  return {
    node: {
      id: `sidecar~$(POD_IP)~$(POD_NAME).$(POD_NAMESPACE)~$(POD_NAMESPACE).svc.cluster.local`,
      cluster: `${workload}.${namespace}`,
      metadata: { NAME: workload, NAMESPACE: '$(POD_NAMESPACE)', SERVICE_ACCOUNT: '$(POD_SERVICE_ACCOUNT)' },
    },
    admin: { address: socket('127.0.0.1', adminPort) },
    dynamic_resources: {
      ads_config: {
        api_type: 'DELTA_GRPC',
        transport_api_version: 'V3',
        grpc_services: [{ envoy_grpc: { cluster_name: 'control-plane' } }],
      },
      cds_config: ads,
      lds_config: ads,
    },
    static_resources: {
      listeners: [healthListener(probes)],
      clusters: [
        {
          ...cluster('control-plane', host, port, 'STRICT_DNS'),
          ...http2,
          ...keepAlive,
          ...(settings.controlPlaneRoots !== undefined && { transport_socket: verifiedTls(host) }),
        },
        cluster('own-admin', '127.0.0.1', adminPort),
        ...[...targets].map(([name, target]) => ({
          ...cluster(name, '127.0.0.1', target.port),
          ...(target.tls && { transport_socket: unverifiedTls }),
        })),
      ],
    },
  };
}

const filters = 'type.googleapis.com/envoy.extensions.filters.http';
const http2: JsonMembers = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
      explicit_http_config: {
        http2_protocol_options: { connection_keepalive: { interval: '30s', timeout: '5s' } },
      },
      http_filters: [
        {
          name: 'token',
          typed_config: {
            '@type': `${filters}.header_mutation.v3.HeaderMutation`,
            mutations: {
              request_mutations: [
                {
                  append: {
                    // Its value stays in the environment: arguments are seen by everyone on the node.
                    header: { key: 'authorization', value: 'Bearer %ENVIRONMENT(HEDDLE_MESH_TOKEN)%' },
                    append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
                  },
                },
              ],
            },
          },
        },
        { name: 'codec', typed_config: { '@type': `${filters}.upstream_codec.v3.UpstreamCodec` } },
      ],
    },
  },
};
const keepAlive: JsonMembers = { upstream_connection_options: { tcp_keepalive: {} } };
// As the kubelet does: a probe asks whether there is an answer, not from whom.
const unverifiedTls: JsonMembers = {
  name: 'envoy.transport_sockets.tls',
  typed_config: {
    '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
  },
};

/** TLS towards the control plane, by the roots that are mounted, which are read again when they change. */
function verifiedTls(host: string): JsonMembers {
  const filename = controlPlaneRootsFile;
  const folder = filename.slice(0, filename.lastIndexOf('/'));
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      sni: host,
      common_tls_context: {
        alpn_protocols: ['h2'],
        validation_context: {
          trusted_ca: { filename },
          watched_directory: { path: folder },
          match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: host } }],
        },
      },
    },
  };
}

interface ProbeTarget {
  readonly port: number;
  readonly tls: boolean;
}

function probeTargets(probes: SidecarSubject['probes']): ReadonlyMap<string, ProbeTarget> {
  return new Map(Object.values(probes).map((probe) => [targetName(probe), targetOf(probe)]));
}

function targetOf(probe: JsonMembers): ProbeTarget {
  const { port, scheme } = membersIn(probe['httpGet']);
  return { port: Number(port), tls: scheme === 'HTTPS' };
}

function targetName(probe: JsonMembers): string {
  const { port, tls } = targetOf(probe);
  return `application-${port}${tls ? '-tls' : ''}`;
}

function healthListener(probes: SidecarSubject['probes']): JsonMembers {
  const admin = (path: string, rewritten: string): JsonMembers => ({
    match: { path },
    route: { cluster: 'own-admin', prefix_rewrite: rewritten },
  });
  const routes = [
    admin('/healthz/ready', '/ready'),
    admin('/stats/prometheus', '/stats/prometheus'),
    ...Object.entries(probes).map(([path, probe]) => probeRoute(path, probe)),
  ];
  return {
    name: 'health',
    address: socket('0.0.0.0', healthPort),
    filter_chains: [{ filters: [{ name: 'http', typed_config: connectionManager(routes) }] }],
  };
}

function connectionManager(routes: readonly JsonMembers[]): JsonMembers {
  return {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'health',
    route_config: { virtual_hosts: [{ name: 'health', domains: ['*'], routes }] },
    http_filters: [
      {
        name: 'router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  };
}

function probeRoute(path: string, probe: JsonMembers): JsonMembers {
  const { path: asked = '/', httpHeaders } = membersIn(probe['httpGet']);
  const headers = objectsIn(httpHeaders).map(({ name, value }) => ({
    name: textOf(name),
    value: textOf(value),
  }));
  const host = headers.find(({ name }) => name.toLowerCase() === 'host')?.value;
  const added = headers
    .filter(({ name }) => name.toLowerCase() !== 'host')
    // A per cent sign begins one of Envoy's own words.
    .map(({ name, value }) => ({ header: { key: name, value: value.replaceAll('%', '%%') } }));
  return {
    match: { path },
    route: {
      cluster: targetName(probe),
      prefix_rewrite: textOf(asked),
      timeout: `${Number(probe['timeoutSeconds'] ?? 1)}s`,
      ...(host !== undefined && { host_rewrite_literal: host }),
    },
    ...(added.length > 0 && { request_headers_to_add: added }),
  };
}

function cluster(name: string, host: string, port: number, type = 'STATIC'): JsonMembers {
  return {
    name,
    type,
    connect_timeout: '5s',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socket(host, port) } }] }],
    },
  };
}

function socket(address: string, port: number): JsonMembers {
  return { socket_address: { address, port_value: port } };
}
