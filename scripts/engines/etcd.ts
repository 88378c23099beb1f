import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { type AptProgram, findProgram, installProgram } from './apt.ts';
import { dataFolder } from './cache.ts';
import { lastWords, run } from './command.ts';
import { type Engine, type Pinned, type Place, required, type Running, type Tool } from './engine.ts';
import { freePlace, freePort, startServer } from './running.ts';

const program: AptProgram = {
  package: 'etcd-server',
  program: 'etcd',
  versionArgs: ['--version'],
  version: /etcd Version: ([\d.]+)/,
};

/** How etcd is started. */
export interface EtcdOptions extends Pinned {
  /** Default: any free one. */
  readonly address?: Place;
  /** Where its data are, and stay. Default: one of its own, which goes with it. */
  readonly folder?: string;
  /** Clients must speak TLS; with `ca` they must show a certificate of it. Files in PEM. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
  /** One of several members. It is ready when most of them run, so they have to be started side by side. */
  readonly cluster?: { readonly at: number; readonly peerPorts: readonly number[] };
  /** How long a login is good for without being used, in seconds. Default: etcd's own, five minutes. */
  readonly loginSeconds?: number;
}

/** One etcd, without peers unless it is told of them. A leader is there within a fraction of a second, and leases may be as short as a second. */
export const etcd: Engine<EtcdOptions> = {
  name: 'etcd',
  find: () => findProgram(program),
  install: () => installProgram(program),
  verify: async () => {
    const server = await etcd.start({});
    await server.stop();
  },
  start: async (options) => {
    const { path: command } = await required(etcd);
    const address = options.address ?? (await freePlace());
    const folder = options.folder ?? dataFolder('etcd');
    const data = path.join(folder, 'data');
    mkdirSync(data, { recursive: true, mode: 0o700 });
    const { core, tls } = options;
    const peerPorts = options.cluster?.peerPorts ?? [await freePort()];
    return startServer({
      name: 'etcd',
      command,
      args: argsOf(address, data, peerPorts, options),
      address,
      ...(options.folder === undefined && { folder }),
      ...(core !== undefined && { core }),
      ready: (running) => hasLeader(running, tls !== undefined),
      timeoutMs: 60_000,
    });
  },
};

function argsOf(
  address: Place,
  data: string,
  peerPorts: readonly number[],
  { tls, cluster, loginSeconds }: EtcdOptions,
): string[] {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const client = `${tls === undefined ? 'http' : 'https'}://${host}:${address.port}`;
  const peers = peerPorts.map((port) => `http://127.0.0.1:${port}`);
  const at = cluster?.at ?? 0;
  return [
    `--name=member-${at}`,
    `--data-dir=${data}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peers[at]}`,
    `--initial-advertise-peer-urls=${peers[at]}`,
    `--initial-cluster=${peers.map((peer, index) => `member-${index}=${peer}`).join()}`,
    // Members that share a busy machine must not take each other for dead.
    `--heartbeat-interval=${peers.length === 1 ? 50 : 100}`,
    `--election-timeout=${peers.length === 1 ? 250 : 1000}`,
    ...(loginSeconds === undefined ? [] : [`--auth-token-ttl=${loginSeconds}`]),
    ...(tls === undefined ? [] : [`--cert-file=${tls.cert}`, `--key-file=${tls.key}`]),
    ...(tls?.ca === undefined ? [] : [`--trusted-ca-file=${tls.ca}`, '--client-cert-auth']),
  ];
}

/** Over TLS nobody may be let in to ask; there its log says it. */
async function hasLeader(running: Running, secured: boolean): Promise<boolean> {
  if (secured) return /serving client requests on/.test(running.output());
  const { host, port } = running.address;
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  try {
    const answer = await fetch(`http://${authority}/health`, { signal: AbortSignal.timeout(1000) });
    return (await answer.text()).includes('true');
  } catch {
    return false;
  }
}

const client: AptProgram = {
  package: 'etcd-client',
  program: 'etcdctl',
  versionArgs: ['version'],
  version: /etcdctl version: ([\d.]+)/,
};

/** etcd's own command. */
export const etcdctl: Tool = {
  name: 'etcdctl',
  find: () => findProgram(client),
  install: () => installProgram(client),
  verify: async ({ path: command }) => {
    const { code, output } = await run(command, ['--help']);
    if (code !== 0) throw new Error(lastWords(output));
  },
};
