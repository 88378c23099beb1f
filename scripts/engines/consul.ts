// Consul of the last line that is under the Mozilla Public License, built from its published module.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { contentKey, dataFolder } from './cache.ts';
import { type Engine, type Pinned, type Place, required, type Running } from './engine.ts';
import { buildWithGo, findBuilt, type GoBuild } from './go.ts';
import { freePlace, freePort, startServer } from './running.ts';

const source = path.join(import.meta.dirname, 'consul');
const version = '1.14.11';

const build: GoBuild = {
  key: `consul-${contentKey(source)}`,
  version,
  program: 'consul',
  cwd: source,
  // Measured cold: 7 minutes of CPU, so 4 on two idle cores; others may use them too.
  limitMs: 1_500_000,
  commands: (folder) => [
    [
      'build',
      '-trimpath',
      '-ldflags=-s -w',
      '-o',
      path.join(folder, 'consul'),
      'github.com/hashicorp/consul',
    ],
  ],
};

/** How Consul is started. */
export interface ConsulOptions extends Pinned {
  /** Of its HTTP API, or HTTPS with `tls`. Default: any free one. */
  readonly address?: Place;
  /** Where its data are, and stay. Default: one of its own, which goes with it. */
  readonly folder?: string;
  /** Nobody may do anything without a token; this one may do all. */
  readonly managementToken?: string;
  /** Clients must speak TLS and show a certificate of `ca`. Files in PEM. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
  /** Where it answers DNS. Default: it does not. */
  readonly dnsPort?: number;
  /** More of its configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** One server without others, and without any port but that of its API and those it needs for itself. */
export const consul: Engine<ConsulOptions> = {
  name: 'consul',
  find: () => findBuilt(build),
  install: () => buildWithGo(build),
  verify: async () => {
    const server = await consul.start({});
    await server.stop();
  },
  start: async (options) => {
    const { path: command } = await required(consul);
    const address = options.address ?? (await freePlace());
    const folder = options.folder ?? dataFolder('consul');
    mkdirSync(folder, { recursive: true });
    const file = path.join(folder, 'consul.json');
    writeFileSync(file, JSON.stringify(await configOf(address, folder, options)));
    return startServer({
      name: 'consul',
      command,
      args: ['agent', `-config-file=${file}`],
      address,
      ...(options.folder === undefined && { folder }),
      ...(options.core !== undefined && { core: options.core }),
      ready: (running) => isReady(running, options),
      timeoutMs: 60_000,
    });
  },
};

async function configOf(address: Place, folder: string, options: ConsulOptions): Promise<object> {
  const { managementToken, tls, dnsPort = -1, config } = options;
  const api = { [tls === undefined ? 'http' : 'https']: address.port };
  const off = {
    dns: dnsPort,
    grpc: -1,
    grpc_tls: -1,
    serf_wan: -1,
    [tls === undefined ? 'https' : 'http']: -1,
  };
  return {
    server: true,
    bootstrap_expect: 1,
    node_name: 'one',
    data_dir: path.join(folder, 'data'),
    bind_addr: '127.0.0.1',
    client_addr: address.host,
    ports: { ...off, ...api, server: await freePort(), serf_lan: await freePort() },
    performance: { raft_multiplier: 1, leave_drain_time: '0s' },
    leave_on_terminate: false,
    skip_leave_on_interrupt: true,
    disable_update_check: true,
    enable_local_script_checks: true,
    log_level: tls === undefined ? 'warn' : 'info',
    limits: { http_max_conns_per_client: 4096 },
    ...(managementToken !== undefined && {
      acl: {
        enabled: true,
        default_policy: 'deny',
        tokens: { initial_management: managementToken, agent: managementToken },
      },
    }),
    ...(tls !== undefined && {
      tls: { https: { ca_file: tls.ca, cert_file: tls.cert, key_file: tls.key, verify_incoming: true } },
    }),
    ...config,
  };
}

/** There is a leader, and it has registered itself. Over TLS nobody may be let in to ask; there its log says it. */
async function isReady(running: Running, { managementToken, tls }: ConsulOptions): Promise<boolean> {
  if (tls !== undefined) return running.output().includes('cluster leadership acquired');
  const { host, port } = running.address;
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  try {
    const answer = await fetch(`http://${authority}/v1/health/service/consul?passing`, {
      signal: AbortSignal.timeout(1000),
      ...(managementToken !== undefined && { headers: { 'x-consul-token': managementToken } }),
    });
    return answer.ok && ((await answer.json()) as unknown[]).length > 0;
  } catch {
    return false;
  }
}
