// `npm run bench -- gateway`: the gateway beside other proxies and gateways.
import type { Running } from '../../scripts/engines/engine.ts';
import type { BenchOptions, BenchOutcome, BenchResult, SkippedPeer } from '../report.ts';
import { coreOfLoad, startSubject } from '../wire/contender.ts';
import { compete, type Outcome, type Standing } from '../wire/rounds.ts';
import { bestOf } from '../wire/work.ts';
import { ratioGoals } from './goals.ts';
import { makeIdentity } from './identity.ts';
import { latencies } from './latency.ts';
import { worksWith } from './work.ts';

const ours = 'heddle';
const latencyName = 'p99-at-70';
const full = { rounds: 5, turnMs: 2000, warmTurns: 1 };
const quick = { rounds: 1, turnMs: 2000, warmTurns: 0 };

/** Measures everything, or what `options.only` names; says on stderr what it is at. */
export async function gatewayBench(options: BenchOptions): Promise<BenchOutcome> {
  const pace = options.quick ? quick : full;
  const wanted = (name: string): boolean => options.only === undefined || options.only === name;
  const results: BenchResult[] = [];
  const skipped: SkippedPeer[] = [];
  const upstream: Running = await startSubject('http1-backend.ts', [], coreOfLoad());
  try {
    for (const work of worksWith(makeIdentity()).filter(({ name }) => wanted(name))) {
      process.stderr.write(`${work.name} …\n`);
      const outcome = await compete(work, upstream.address, pace);
      results.push(...costs(work.name, outcome));
      skipped.push(...outcome.absent.map(({ name, reason }) => ({ name: work.name, peer: name, reason })));
    }
    if (wanted(latencyName)) {
      process.stderr.write(`${latencyName} …\n`);
      const { measured, absent } = await latencies(upstream.address, pace);
      const own = measured.find(({ name }) => name === ours);
      for (const each of measured) {
        if (own === undefined || each.name === ours) continue;
        const rates = { perSecond: own.perSecond, peerPerSecond: each.perSecond };
        results.push({ ...compared(latencyName, 'ms', own.p99Ms, each.name, each.p99Ms), ...rates });
      }
      skipped.push(...absent.map(({ name, reason }) => ({ name: latencyName, peer: name, reason })));
    }
  } finally {
    await upstream.stop();
  }
  return { results, skipped };
}

function costs(name: string, { standings, absent }: Outcome): BenchResult[] {
  const own = standings.find((each) => each.name === ours);
  if (own === undefined) {
    const reason = absent.find((each) => each.name === ours)?.reason ?? 'it does not take part';
    throw new Error(`${name}: Heddle itself could not be measured: ${reason}`);
  }
  return peersOf(standings).map((peer) => ({
    ...compared(name, 'CPU us/request', own.microsPerCall, peer.name, peer.microsPerCall),
    perSecond: own.perSecond,
    peerPerSecond: peer.perSecond,
    ...(peer.detail !== undefined && { detail: peer.detail }),
  }));
}

function compared(name: string, unit: string, value: number, peer: string, peerValue: number): BenchResult {
  const ratio = peerValue / value;
  const goal = ratioGoals[name]?.[peer];
  return {
    name,
    subject: ours,
    unit,
    value,
    peer,
    peerValue,
    ratio,
    ...(goal !== undefined && { goal: `at least ${goal}x ${peer}`, goalMet: ratio >= goal }),
  };
}

function peersOf(standings: readonly Standing[]): (Standing & { detail?: string })[] {
  const isNode = ({ name }: Standing): boolean => bestOf.of.test(name);
  const short = (each: Standing): Standing => ({ ...each, name: each.name.replace(bestOf.of, '') });
  const peers: (Standing & { detail?: string })[] = standings.filter(
    (each) => each.name !== ours && !isNode(each),
  );
  const [best] = standings.filter(isNode).sort((a, b) => a.microsPerCall - b.microsPerCall);
  if (best === undefined) return peers;
  const named = standings.filter(isNode).map(short);
  return [...peers, { ...best, name: bestOf.name, detail: short(best).name }, ...named];
}
