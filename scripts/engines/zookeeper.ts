import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import type { TlsIdentity } from '@heddle/kernel';
import { dataFolder } from './cache.ts';
import { run } from './command.ts';
import { type Engine, type Place, required } from './engine.ts';
import { assemble, findAssembled, javaArgs, type MavenBuild } from './maven.ts';
import { freePlace, startServer } from './running.ts';

/** How to start ZooKeeper. */
export interface ZooKeeperOptions {
  /** Default: a free port on IPv4 loopback. */
  readonly address?: Place;
  /** Where it keeps its data, which is then not removed. Default: a folder of its own. */
  readonly folder?: string;
  /** Speaks TLS at `address`. With `trust`, clients must have a certificate from there. */
  readonly tls?: TlsIdentity & { readonly trust?: string };
  /** One of several: which, counted from 0, and where each of them listens to the others. */
  readonly ensemble?: { readonly at: number; readonly members: readonly ZooKeeperMember[] };
}

/** Where a server of an ensemble is reached by the others, on IPv4 loopback. */
export interface ZooKeeperMember {
  readonly quorumPort: number;
  readonly electionPort: number;
}

const build: MavenBuild = {
  name: 'zookeeper',
  version: '3.9.5',
  source: path.join(import.meta.dirname, 'zookeeper'),
};

/** A ZooKeeper server, alone or one of an ensemble, with ticks so short that sessions may expire after 400 ms. */
export const zooKeeper: Engine<ZooKeeperOptions> = {
  name: 'zookeeper',
  find: () => findAssembled(build),
  install: () => assemble(build),
  verify: async () => {
    const running = await zooKeeper.start({});
    try {
      const { host, port } = running.address;
      const asked = `exec 3<>/dev/tcp/${host}/${port}; printf ruok >&3; cat <&3`;
      const answer = await run('bash', ['-c', asked], { timeoutMs: 10_000 });
      if (!answer.output.includes('imok')) throw new Error(`expected imok, found ${answer.output}`);
    } finally {
      await running.stop();
    }
  },
  start: async ({ address, folder, tls, ensemble }) => {
    const found = await required(zooKeeper);
    const place = address ?? (await freePlace());
    const data = folder ?? dataFolder('zookeeper');
    const file = path.join(data, 'zoo.cfg');
    writeFileSync(file, [...configOf(data, place, tls), ...ensembleOf(data, ensemble)].join('\n'));
    const properties = {
      'zookeeper.preAllocSize': '512',
      'zookeeper.forceSync': 'no',
      'zookeeper.admin.enableServer': 'false',
      'zookeeper.4lw.commands.whitelist': 'ruok,srvr',
    };
    return startServer({
      name: 'zookeeper',
      command: 'java',
      args: [...javaArgs(found.path, mainOf(ensemble), properties), file],
      address: place,
      timeoutMs: 90_000,
      // It listens before it can answer; one of an ensemble answers when most are there. Over TLS, that has to do.
      ...(tls === undefined && { ready: () => givesSessions(place) }),
      ...(folder === undefined && { folder: data }),
    });
  },
};

/** Whether it answers the shortest request for a session: no protocol features, 10 s, no password. */
function givesSessions({ host, port }: Place): Promise<boolean> {
  const request = Buffer.alloc(4 + 44);
  request.writeInt32BE(44, 0);
  request.writeInt32BE(10_000, 4 + 12);
  request.writeInt32BE(16, 4 + 24);
  return new Promise((resolve) => {
    const socket = connect(port, host, () => socket.write(request));
    const done = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', done(true));
    socket.once('close', done(false));
    socket.once('error', done(false));
    socket.setTimeout(1000, done(false));
  });
}

function configOf(data: string, { host, port }: Place, tls: ZooKeeperOptions['tls']): readonly string[] {
  const common = [
    `dataDir=${data}`,
    'tickTime=200',
    'minSessionTimeout=400',
    'maxSessionTimeout=120000',
    'maxClientCnxns=0',
  ];
  if (tls === undefined) return [...common, `clientPort=${port}`, `clientPortAddress=${host}`];
  const keys = path.join(data, 'identity.pem');
  writeFileSync(keys, `${tls.privateKey}\n${tls.certificates}`);
  const lines = [
    'serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory',
    `secureClientPort=${port}`,
    `secureClientPortAddress=${host}`,
    `ssl.keyStore.location=${keys}`,
    'ssl.keyStore.type=PEM',
    `ssl.clientAuth=${tls.trust === undefined ? 'none' : 'need'}`,
  ];
  if (tls.trust === undefined) return [...common, ...lines];
  const trusted = path.join(data, 'trust.pem');
  writeFileSync(trusted, tls.trust);
  return [...common, ...lines, `ssl.trustStore.location=${trusted}`, 'ssl.trustStore.type=PEM'];
}

function mainOf(ensemble: ZooKeeperOptions['ensemble']): string {
  const name = ensemble === undefined ? 'ZooKeeperServerMain' : 'quorum.QuorumPeerMain';
  return `org.apache.zookeeper.server.${name}`;
}

/** Limits in ticks: 20 s to follow a leader, 4 s to lose it. */
function ensembleOf(data: string, ensemble: ZooKeeperOptions['ensemble']): readonly string[] {
  if (ensemble === undefined) return [];
  writeFileSync(path.join(data, 'myid'), String(ensemble.at + 1));
  const members = ensemble.members.map(
    ({ quorumPort, electionPort }, at) => `server.${at + 1}=127.0.0.1:${quorumPort}:${electionPort}`,
  );
  return ['initLimit=100', 'syncLimit=20', ...members];
}

/** Whether it leads, follows or is alone, as it says itself; undefined while it serves nobody. */
export async function zooKeeperMode({ host, port }: Place): Promise<string | undefined> {
  const asked = `exec 3<>/dev/tcp/${host}/${port}; printf srvr >&3; cat <&3`;
  const answer = await run('bash', ['-c', asked], { timeoutMs: 10_000 });
  return /^Mode: (\w+)$/m.exec(answer.output)?.[1];
}
