import { type Candidate, maglev, type Picker, ringHash, weightedRoundRobin } from '@heddle/traffic';
import { median, threadCpuNs } from '../measure.ts';
import type { BenchOptions, BenchResult } from '../report.ts';
import { fleet, runtime } from './fleet.ts';
import { consistentHash, hashRing } from './peer-picks.ts';

const count = 1000;
const policy = ringHash({ random: runtime.random });
const table = maglev({ random: runtime.random });
/** All of weight 100, so that the ring has 150 points for each. */
const all: readonly Candidate[] = fleet(count).map((candidate) => ({ ...candidate, weight: 100 }));
const fewer = all.filter((_, index) => index !== 500);

interface Update {
  readonly name: string;
  readonly run: () => unknown;
  readonly goalMs?: number;
  readonly peer: string;
  readonly detail: string;
  readonly peerRun: () => unknown;
}

function updates(): Update[] {
  const whole = policy(all, undefined);
  const without = policy(fewer, whole);
  const rotation = weightedRoundRobin(all, undefined);
  const rebuilt = { peer: 'hashring', detail: '1,000 instances x 150', peerRun: () => hashRing(count) };
  const twice = (picker: Picker<Candidate>, set: readonly Candidate[]): unknown => policy(set, picker);
  return [
    { name: 'ring-rebuild', goalMs: 40, run: () => policy(all, undefined), ...rebuilt },
    {
      ...rebuilt,
      name: 'ring-rebuild',
      goalMs: 40,
      run: () => policy(all, undefined),
      peer: 'consistent-hash',
      peerRun: () => consistentHash(count),
    },
    {
      ...rebuilt,
      name: 'ring-add',
      goalMs: 1,
      run: () => twice(without, all),
      detail: 'it rebuilds for one of 1,000',
    },
    {
      ...rebuilt,
      name: 'ring-remove',
      goalMs: 1,
      run: () => twice(whole, fewer),
      detail: 'it rebuilds for one of 1,000',
    },
    { ...rebuilt, name: 'maglev-rebuild', run: () => table(all, undefined), detail: 'a ring of 1,000 x 150' },
    {
      ...rebuilt,
      name: 'weighted-update',
      run: () => weightedRoundRobin(fewer, rotation),
      detail: 'a ring of 1,000 x 150',
    },
  ];
}

/** Milliseconds for what an update of the set costs, at 1,000 instances. */
export function updateResults({ quick }: BenchOptions, wanted: (name: string) => boolean): BenchResult[] {
  const results: BenchResult[] = [];
  for (const { name, run, goalMs, peer, detail, peerRun } of updates()) {
    if (!wanted(name)) continue;
    process.stderr.write(`${name} beside ${peer} …\n`);
    const [own, peers]: [number[], number[]] = [[], []];
    for (let round = 0; round < (quick ? 2 : 9); round++) {
      own.push(timed(run, quick ? 5 : 30));
      // The peers take seconds: a few rounds of one say enough.
      if (round < (quick ? 1 : 3)) peers.push(timed(peerRun, 1));
    }
    const value = median(own);
    const peerValue = median(peers);
    results.push({
      name,
      subject: 'heddle',
      unit: 'CPU ms',
      value,
      peer,
      peerValue,
      ratio: peerValue / value,
      detail,
      ...(goalMs !== undefined && { goal: `at most ${goalMs} ms`, goalMet: value <= goalMs }),
    });
  }
  return results;
}

/** CPU milliseconds of one, out of `times`: the system counts CPU time in steps that are longer than one takes. */
function timed(run: () => unknown, times: number): number {
  const start = threadCpuNs();
  for (let left = times; left > 0; left--) if (run() === undefined) throw new Error('it made nothing');
  return (threadCpuNs() - start) / 1e6 / times;
}
