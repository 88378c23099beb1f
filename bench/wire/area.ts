// `npm run bench -- wire`: the wire engine beside its peers.
import type { Place, Running } from '../../scripts/engines/engine.ts';
import type { BenchOptions, BenchOutcome, BenchResult, SkippedPeer } from '../report.ts';
import { coreOfLoad, startSubject } from './contender.ts';
import { idleGoalKib, ratioGoals } from './goals.ts';
import { idleConnections } from './idle.ts';
import { compete, type Outcome, type Pace, type Standing } from './rounds.ts';
import { bestOf, type Upstream, type Work, works } from './work.ts';

const ours = 'heddle';
const idleName = 'idle-h2-connection';
const full = { rounds: 5, turnMs: 1000, warmTurns: 5, connections: 10_000, idleRounds: 3 };
const quick = { rounds: 1, turnMs: 1000, warmTurns: 1, connections: 1000, idleRounds: 1 };

/** Measures everything, or what `options.only` names; says on stderr what it is at. */
export async function wireBench(options: BenchOptions): Promise<BenchOutcome> {
  const pace = options.quick ? quick : full;
  const wanted = (name: string): boolean => options.only === undefined || options.only === name;
  const results: BenchResult[] = [];
  const skipped: SkippedPeer[] = [];
  const upstreams = new Map<Upstream, Running>();
  try {
    for (const work of works.filter(({ name }) => wanted(name))) {
      process.stderr.write(`${work.name} …\n`);
      const outcome = await compete(work, await upstreamOf(work, upstreams), pace);
      results.push(...resultsOf(work, outcome));
      skipped.push(...outcome.absent.map(({ name, reason }) => ({ name: work.name, peer: name, reason })));
    }
  } finally {
    await Promise.all([...upstreams.values()].map((running) => running.stop()));
  }
  if (wanted(idleName)) await addIdle(pace, results, skipped);
  return { results, skipped };
}

async function upstreamOf(work: Work, started: Map<Upstream, Running>): Promise<Place> {
  if (work.upstream === 'none') return { host: '127.0.0.1', port: 1 };
  const known = started.get(work.upstream);
  if (known !== undefined) return known.address;
  const file = work.upstream === 'grpc' ? 'heddle-grpc-server.ts' : 'http1-backend.ts';
  const running = await startSubject(file, [], coreOfLoad());
  started.set(work.upstream, running);
  return running.address;
}

function resultsOf(work: Work, { standings, absent }: Outcome): BenchResult[] {
  const own = standings.find(({ name }) => name === ours);
  if (own === undefined) {
    const reason = absent.find(({ name }) => name === ours)?.reason ?? 'it does not take part';
    throw new Error(`${work.name}: Heddle itself could not be measured: ${reason}`);
  }
  return peersOf(standings).map((peer) => {
    const ratio = peer.microsPerCall / own.microsPerCall;
    const goal = ratioGoals[work.name]?.[peer.name];
    return {
      name: work.name,
      subject: ours,
      unit: `CPU us/${work.each}`,
      value: own.microsPerCall,
      peer: peer.name,
      peerValue: peer.microsPerCall,
      ratio,
      perSecond: own.perSecond,
      peerPerSecond: peer.perSecond,
      ...(peer.detail !== undefined && { detail: peer.detail }),
      ...(goal !== undefined && { goal: `at least ${goal}x ${peer.name}`, goalMet: ratio >= goal }),
    };
  });
}

/** The others, with those of whom only the best counts folded into one. */
function peersOf(standings: readonly Standing[]): (Standing & { detail?: string })[] {
  const peers = standings.filter(({ name }) => name !== ours && !bestOf.of.test(name));
  const [best] = standings
    .filter(({ name }) => bestOf.of.test(name))
    .sort((a, b) => a.microsPerCall - b.microsPerCall);
  if (best === undefined) return peers;
  return [...peers, { ...best, name: bestOf.name, detail: best.name.replace(bestOf.of, '') }];
}

async function addIdle(
  pace: Pace & { readonly connections: number; readonly idleRounds: number },
  results: BenchResult[],
  skipped: SkippedPeer[],
): Promise<void> {
  process.stderr.write(`${idleName} …\n`);
  const { kib, absent } = await idleConnections(pace.connections, pace.idleRounds);
  skipped.push(...absent.map(({ name, reason }) => ({ name: idleName, peer: name, reason })));
  const value = kib.get(ours);
  if (value === undefined) throw new Error(`${idleName}: Heddle itself could not be measured`);
  for (const [peer, peerValue] of kib) {
    if (peer === ours) continue;
    results.push({
      name: idleName,
      subject: ours,
      unit: 'KiB',
      value,
      peer,
      peerValue,
      ratio: peerValue / value,
      detail: `${pace.connections} connections held`,
      goal: `at most ${idleGoalKib} KiB`,
      goalMet: value <= idleGoalKib,
    });
  }
}
