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
}

/** One etcd without peers. A leader is there within a fraction of a second, and leases may be as short as a second. */
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
    return startServer({
      name: 'etcd',
      command,
      args: argsOf(address, data, await freePort(), tls),
      address,
      ...(options.folder === undefined && { folder }),
      ...(core !== undefined && { core }),
      ready: (running) => hasLeader(running, tls !== undefined),
    });
  },
};

function argsOf(address: Place, data: string, peerPort: number, tls: EtcdOptions['tls']): string[] {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  const client = `${tls === undefined ? 'http' : 'https'}://${host}:${address.port}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  return [
    `--data-dir=${data}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--heartbeat-interval=50',
    '--election-timeout=250',
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
