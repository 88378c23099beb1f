// The whole client stack beside those of others: one client process at a time, the same three servers for all.
import type { Place, Running } from '../../scripts/engines/engine.ts';
import { type Peer, startPeer } from '../../scripts/engines/peer.ts';
import { freePlace } from '../../scripts/engines/running.ts';
import type { BenchOptions, BenchOutcome, BenchResult } from '../report.ts';
import { type Contender, coreOfLoad, startSubject, subjectCore } from '../wire/contender.ts';
import { compete, type Outcome } from '../wire/rounds.ts';
import type { Work } from '../wire/work.ts';
import path from 'node:path';

const ours = 'heddle';
const servers = 3;
const nowhere: Place = { host: '127.0.0.1', port: 1 };
const full = { rounds: 5, turnMs: 1500, warmTurns: 5 };
const quick = { rounds: 1, turnMs: 500, warmTurns: 1 };

/** At least this ratio of the peer's CPU time to ours. */
const goals: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'full-stack-c100': { 'grpc-js': 8, moleculer: 2, 'bare-wire': 0.5 },
};

/** `full-stack-c100` and `full-stack-c1`, those of them that are wanted. */
export async function fullStackResults(
  options: BenchOptions,
  wanted: (name: string) => boolean,
): Promise<BenchOutcome> {
  const measured = [100, 1].filter((inFlight) => wanted(`full-stack-c${inFlight}`));
  if (measured.length === 0) return { results: [], skipped: [] };
  const results: BenchResult[] = [];
  const skipped: BenchOutcome['skipped'][number][] = [];
  const running: Running[] = [];
  try {
    for (let n = 0; n < servers; n++)
      running.push(await startSubject('heddle-grpc-server.ts', [], coreOfLoad()));
    const nodes = await startMoleculer(running);
    const contenders = contendersFor(running.slice(0, servers).map(textOf), nodes);
    for (const inFlight of measured) {
      const name = `full-stack-c${inFlight}`;
      process.stderr.write(`${name} …\n`);
      const work = workOf(name, inFlight, contenders);
      const outcome = await compete(work, nowhere, options.quick ? quick : full);
      results.push(...resultsOf(name, outcome));
      skipped.push(...outcome.absent.map((each) => ({ name, peer: each.name, reason: each.reason })));
    }
  } finally {
    await Promise.all(running.map((each) => each.stop()));
  }
  return { results, skipped };
}

function contendersFor(targets: readonly string[], nodes: readonly string[]): Contender[] {
  const own = (name: string, file: string, args: readonly string[] = targets): Contender => ({
    name,
    collects: true,
    missing: async () => undefined,
    start: () => startHere(file, args, subjectCore),
  });
  return [
    own(ours, 'heddle.ts', ['plain', ...targets]),
    own('heddle-with-explain', 'heddle.ts', ['explain', ...targets]),
    own('bare-wire', 'bare-wire.ts'),
    own('grpc-js', 'grpc-js.ts'),
    own('nice-grpc', 'nice-grpc.ts'),
    own('connect-node', 'connect-node.ts'),
    own('nestjs', 'nestjs.ts'),
    own('moleculer', 'moleculer-node.ts', ['client', ...nodes]),
  ];
}

/** Moleculer speaks its own protocol: three nodes of its own. Gives all nodes, the client's place last. */
async function startMoleculer(running: Running[]): Promise<string[]> {
  const names = [...Array.from({ length: servers }, (_, n) => `server-${n}`), 'client'];
  const nodes: string[] = [];
  for (const name of names) nodes.push(`${name}=${placeText(await freePlace())}`);
  for (const name of names.slice(0, servers))
    running.push(await startHere('moleculer-node.ts', [name, ...nodes], coreOfLoad()));
  return nodes;
}

async function startHere(file: string, args: readonly string[], core: number | undefined): Promise<Peer> {
  const program = path.join(import.meta.dirname, 'subjects', file);
  return startPeer({
    name: file,
    command: process.execPath,
    args: ['--conditions=@heddle/source', program, ...args],
    ...(core !== undefined && { core }),
  });
}

function workOf(name: string, inFlight: number, contenders: readonly Contender[]): Work {
  const turn: Work['turn'] = async (running, durationMs) => {
    const before = performance.now();
    const said = await (running as Peer).ask(`run-${inFlight} ${durationMs}`);
    const calls = Number(/^calls (\d+)$/.exec(said)?.[1]);
    if (!(calls > 0)) throw new Error(`a client says “${said}”`);
    return { calls, elapsedMs: performance.now() - before };
  };
  const verify = async (running: Running): Promise<void> => void (await turn(running, 10));
  return { name, each: 'call', upstream: 'none', contenders, verify, turn };
}

function resultsOf(name: string, { standings, absent }: Outcome): BenchResult[] {
  const own = standings.find((each) => each.name === ours);
  if (own === undefined) {
    const reason = absent.find((each) => each.name === ours)?.reason ?? 'it does not take part';
    throw new Error(`${name}: Heddle itself could not be measured: ${reason}`);
  }
  return standings
    .filter((each) => each.name !== ours)
    .map((peer) => {
      const ratio = peer.microsPerCall / own.microsPerCall;
      const goal = goals[name]?.[peer.name];
      return {
        name,
        subject: ours,
        unit: 'CPU us/call',
        value: own.microsPerCall,
        peer: peer.name,
        peerValue: peer.microsPerCall,
        ratio,
        perSecond: own.perSecond,
        peerPerSecond: peer.perSecond,
        ...(goal !== undefined && { goal: `at least ${goal}x ${peer.name}`, goalMet: ratio >= goal }),
      };
    });
}

function textOf(running: Running): string {
  return placeText(running.address);
}

function placeText({ host, port }: Place): string {
  return `${host}:${port}`;
}
