// One node of OpenSearch, from the artifacts that its project publishes for Maven.
import path from 'node:path';
import { dataFolder } from './cache.ts';
import { type Engine, type Place, required } from './engine.ts';
import { assemble, findAssembled, javaArgs, type MavenBuild } from './maven.ts';
import { freePlace, freePort, startServer } from './running.ts';

/** How OpenSearch is started. */
export interface OpenSearchOptions {
  /** Default: a free port on IPv4 loopback. */
  readonly address?: Place;
  /** Where it keeps its data, which is then not removed. Default: a folder of its own. */
  readonly folder?: string;
}

const build: MavenBuild = {
  name: 'opensearch',
  version: '2.19.3',
  source: path.join(import.meta.dirname, 'opensearch'),
};

/** A node that is a cluster by itself, without plugins: it needs about 250 MiB. */
export const openSearch: Engine<OpenSearchOptions> = {
  name: 'opensearch',
  find: () => findAssembled(build),
  install: () => assemble(build),
  verify: async () => {
    const running = await openSearch.start({});
    await running.stop();
  },
  start: async ({ address, folder }) => {
    const found = await required(openSearch);
    const place = address ?? (await freePlace());
    const data = folder ?? dataFolder('opensearch');
    const ports = [place.port, await freePort()].map(String);
    return startServer({
      name: 'opensearch',
      command: 'java',
      args: [...javaArgs(found.path, 'OpenSearchMain', { 'log4j2.level': 'warn' }), data, ...ports],
      address: place,
      // On two cores that others use too it was not ready within two minutes.
      timeoutMs: 300_000,
      ready: () => isReady(place),
      ...(folder === undefined && { folder: data }),
    });
  },
};

/** It listens before its cluster has a leader. */
async function isReady({ host, port }: Place): Promise<boolean> {
  try {
    const health = await fetch(`http://${host}:${port}/_cluster/health`, {
      // It may be asked while it takes in what has waited for it, on a machine that has much else to do.
      signal: AbortSignal.timeout(20_000),
    });
    return health.ok && /"status":"(green|yellow)"/.test(await health.text());
  } catch {
    return false;
  }
}
