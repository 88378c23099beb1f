// The control plane of Envoy's own library (go-control-plane), as a peer whose endpoints are set line by line.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { contentKey } from './cache.ts';
import type { Tool } from './engine.ts';
import { required } from './engine.ts';
import { buildWithGo, findBuilt, type GoBuild } from './go.ts';
import { type Peer, startPeer } from './peer.ts';

const source = path.join(import.meta.dirname, 'xds-control-plane');
const version =
  /go-control-plane v([\d.]+)/.exec(readFileSync(path.join(source, 'go.mod'), 'utf8'))?.[1] ?? '';

const build: GoBuild = {
  key: `xds-control-plane-${contentKey(source)}`,
  version,
  program: 'xds-control-plane',
  cwd: source,
  commands: (folder) => [['build', '-o', path.join(folder, 'xds-control-plane'), '.']],
};

/** What a client has said: a request of either protocol. */
export interface XdsSaid {
  readonly names: readonly string[] | null;
  readonly version: string;
  readonly nonce: string;
  readonly error?: string;
  readonly node: string;
  readonly delta: boolean;
}

/** A control plane that runs. */
export interface XdsControlPlane extends Peer {
  /** Makes or replaces a ClusterLoadAssignment, given as its JSON. */
  set(name: string, assignment: object): Promise<void>;
  remove(name: string): Promise<void>;
  /** What clients have said since the last time. */
  log(): Promise<readonly XdsSaid[]>;
  /** Ends all connections. */
  drop(): Promise<void>;
}

/** The tool; it is started by `startXdsControlPlane`. */
export const xdsControlPlane: Tool = {
  name: 'xds-control-plane',
  find: () => findBuilt(build),
  install: () => buildWithGo(build),
  verify: async () => {
    const running = await startXdsControlPlane();
    try {
      await running.set('a', { clusterName: 'a' });
      await running.remove('a');
    } finally {
      await running.stop();
    }
  },
};

/** Starts one; `address` (host:port) to have it where one was before. */
export async function startXdsControlPlane(address = '127.0.0.1:0'): Promise<XdsControlPlane> {
  const { path: command } = await required(xdsControlPlane);
  const peer = await startPeer({ name: 'xds-control-plane', command, args: [address] });
  const ask = async (line: string): Promise<void> => {
    const answer = await peer.ask(line);
    if (answer !== 'ok') throw new Error(`xds-control-plane: ${line}: ${answer}`);
  };
  return {
    ...peer,
    set: (name, assignment) => ask(`set ${name} ${JSON.stringify(assignment)}`),
    remove: (name) => ask(`remove ${name}`),
    log: async () => JSON.parse(await peer.ask('log')) as readonly XdsSaid[],
    drop: () => ask('drop'),
  };
}
