import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { once } from 'node:events';
import type { TlsIdentity } from '@heddle/kernel';
import { dataFolder } from './cache.ts';
import { type Engine, type Place, required } from './engine.ts';
import { assemble, findAssembled, javaArgs, type MavenBuild } from './maven.ts';
import { startServer } from './running.ts';

/** How to start Nacos. */
export interface NacosOptions {
  /** Its HTTP port. gRPC is at 1000 above, its cluster's at 1001 above and Raft at 1000 below. Default: free ones. */
  readonly address?: Place;
  /** Where it keeps its data, which is then not removed. Default: a folder of its own. */
  readonly folder?: string;
  /** Speaks TLS at its gRPC port, and nothing else there. */
  readonly tls?: TlsIdentity;
  /** Who may enter, by Nacos' own checks and a plug-in of ours; everybody, if left out. */
  readonly user?: { readonly name: string; readonly password: string };
}

const build: MavenBuild = {
  name: 'nacos',
  version: '2.3.1',
  source: path.join(import.meta.dirname, 'nacos'),
};

// Of two libraries with the same classes this one has those that the server calls; it needs others of the other.
const hessian = 'hessian-4.0.63.jar';

/** How far gRPC is above the HTTP port. */
export const nacosGrpcOffset = 1000;

/** A single Nacos server for naming; see its `pom.xml` for what it is made of. */
export const nacos: Engine<NacosOptions> = {
  name: 'nacos',
  find: () => findAssembled(build),
  install: () => assemble(build),
  verify: async () => {
    const running = await nacos.start({});
    try {
      const { host, port } = running.address;
      const answer = await fetch(`http://${host}:${port}/nacos/v2/ns/service/list?pageNo=1&pageSize=1`);
      await answer.arrayBuffer();
      if (answer.status !== 200) throw new Error(`expected a list, found status ${answer.status}`);
    } finally {
      await running.stop();
    }
  },
  start: async ({ address, folder, tls, user }) => {
    const found = await required(nacos);
    const place = address ?? (await freePlaces());
    const home = folder ?? dataFolder('nacos');
    mkdirSync(path.join(home, 'conf'), { recursive: true });
    writeFileSync(
      path.join(home, 'conf', 'application.properties'),
      configOf(home, place, tls, user !== undefined),
    );
    const properties = {
      'nacos.standalone': 'true',
      'nacos.home': home,
      'nacos.server.ip': place.host,
      'user.home': home,
      ...(user !== undefined && { 'one-user.name': user.name, 'one-user.password': user.password }),
      'derby.stream.error.file': path.join(home, 'derby.log'),
    };
    const args = javaArgs(found.path, 'heddle.engines.NacosMain', properties, [hessian]);
    return startServer({
      name: 'nacos',
      command: 'java',
      args: [...args, `--spring.config.additional-location=file:${home}/conf/`],
      address: place,
      timeoutMs: 180_000,
      ready: (running) => running.output().includes('Nacos started successfully'),
      ...(folder === undefined && { folder: home }),
    });
  },
};

function configOf(home: string, { port }: Place, tls: TlsIdentity | undefined, asksWho: boolean): string {
  const lines = [
    'server.servlet.contextPath=/nacos',
    // Or it writes a log into the folder in which we run.
    `server.tomcat.basedir=${home}`,
    'server.tomcat.accesslog.enabled=false',
    `server.port=${port}`,
    `nacos.core.auth.enabled=${asksWho}`,
    'nacos.core.auth.system.type=one-user',
    'nacos.core.auth.server.identity.key=server',
    'nacos.core.auth.server.identity.value=itself',
    'nacos.naming.push.pushTaskDelay=100',
    // Its database may take long to begin on a busy machine.
    'db.pool.config.connectionTimeout=60000',
  ];
  if (tls !== undefined) {
    writeFileSync(path.join(home, 'chain.pem'), tls.certificates);
    writeFileSync(path.join(home, 'key.pem'), tls.privateKey);
    const prefix = 'nacos.remote.server.rpc.tls';
    lines.push(`${prefix}.enableTls=true`, `${prefix}.compatibility=false`);
    // Without the scheme it would look among its classes.
    lines.push(`${prefix}.certChainFile=file:${path.join(home, 'chain.pem')}`);
    lines.push(`${prefix}.certPrivateKey=file:${path.join(home, 'key.pem')}`);
  }
  return `${lines.join('\n')}\n`;
}

/** A place whose neighbours, which Nacos uses too, are free as well. */
export async function freePlaces(): Promise<Place> {
  const host = '127.0.0.1';
  for (;;) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    const wanted = [port, port + nacosGrpcOffset, port + nacosGrpcOffset + 1, port - nacosGrpcOffset];
    const free = await Promise.all(wanted.map((each) => isFree(host, each)));
    if (free.every(Boolean)) return { host, port };
  }
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
