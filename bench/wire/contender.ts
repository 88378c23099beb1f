// Who takes part in a measurement: Heddle and its peers, each as a process that is started when its turn comes.
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { type Engine, isMissing, obtain, type Place, type Running } from '../../scripts/engines/engine.ts';
import type { EchoEngine } from '../../scripts/engines/echo-engine.ts';
import { type Peer, startPeer } from '../../scripts/engines/peer.ts';

/** One who takes part. `upstream` is where a proxy forwards to, or what a client calls. */
export interface Contender {
  /** As in the results. */
  readonly name: string;
  /** True for programs that answer `gc` by collecting garbage. */
  readonly collects: boolean;
  /** Why it cannot take part here, or undefined. */
  missing(): Promise<string | undefined>;
  start(upstream: Place): Promise<Running>;
}

/** All subjects run on one core; what drives them and what they call run on another, where there are two. */
export const subjectCore = 0;
const loadCore = 1;

/** The core for load and backends; undefined on a machine with one core, whose numbers then mean little. */
export function coreOfLoad(): number | undefined {
  return availableParallelism() > 1 ? loadCore : undefined;
}

/** A program of the folder `subjects`, with this very Node. */
export async function startSubject(
  file: string,
  args: readonly string[],
  core: number | undefined,
): Promise<Peer> {
  const program = path.join(import.meta.dirname, 'subjects', file);
  return startPeer({
    name: file,
    command: process.execPath,
    args: ['--conditions=@heddle/source', '--expose-gc', program, ...args],
    ...(core !== undefined && { core }),
  });
}

/** A contender that is a program of the folder `subjects`. */
export function subject(name: string, file: string): Contender {
  return {
    name,
    collects: true,
    missing: async () => undefined,
    start: ({ host, port }) => startSubject(file, [`${host}:${port}`], subjectCore),
  };
}

/** A contender that is an engine. */
export function engine<Options>(
  from: Engine<Options>,
  options: (upstream: Place) => Options & { readonly core?: number },
): Contender {
  return {
    name: from.name,
    collects: false,
    missing: async () => {
      const found = await obtain(from);
      return isMissing(found) ? found.missing : undefined;
    },
    start: (upstream) => from.start({ ...options(upstream), core: subjectCore }),
  };
}

/** The server of an echo engine. */
export function echoServer(from: EchoEngine): Contender {
  return engine(from, () => ({}));
}

/** The client of an echo engine. */
export function echoClient(from: EchoEngine): Contender {
  return engine(from, (target) => ({ target }));
}
