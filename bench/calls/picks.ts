import { Call } from '@heddle/kernel';
import {
  available,
  byPriority,
  leastRequest,
  locality,
  maglev,
  noneExcluded,
  orca,
  p2cLatency,
  type Policy,
  random,
  ringHash,
  roundRobin,
  slowStart,
  weightedRandom,
  weightedRoundRobin,
} from '@heddle/traffic';
import { measure, type Subject } from '../measure.ts';
import type { BenchOptions, BenchResult } from '../report.ts';
import { fleet, keyedCalls, runtime } from './fleet.ts';
import { peersOf } from './peer-picks.ts';

const chance = runtime.random;
const { clock } = runtime;
const ports = { random: chance, clock };

/** By the name in the results: `pick-<name>`. */
const policies: Readonly<Record<string, () => Policy>> = {
  'round-robin': () => roundRobin(chance),
  random: () => random(chance),
  'weighted-round-robin': () => weightedRoundRobin,
  'weighted-random': () => weightedRandom(chance),
  'least-request': () => leastRequest(chance),
  'p2c-latency': () => p2cLatency(ports),
  'ring-hash': () => ringHash({ random: chance }),
  maglev: () => maglev({ random: chance }),
  'ring-hash-bounded': () => ringHash({ random: chance, boundedLoad: 1.25 }),
  orca: () => orca(ports),
  locality: () => locality(weightedRoundRobin, { random: chance, zone: 'z0', region: 'r' }),
  priority: () => byPriority(weightedRoundRobin, { random: chance }),
  'slow-start': () => slowStart(weightedRoundRobin, ports),
  available: () => available(roundRobin(chance)),
};
const hashed = new Set(['ring-hash', 'maglev', 'ring-hash-bounded']);
const sizes = [10, 100, 1000];

let sink: unknown;

/** Nanoseconds for each pick at 10, 100 and 1,000 instances; by the hashing ones with a key of 36 characters hashed. */
export async function pickResults(
  { quick }: BenchOptions,
  wanted: (name: string) => boolean,
): Promise<BenchResult[]> {
  const results: BenchResult[] = [];
  for (const [policy, make] of Object.entries(policies)) {
    if (!wanted(`pick-${policy}`)) continue;
    process.stderr.write(`pick-${policy} …\n`);
    for (const size of sizes) results.push(...(await beside(policy, make(), size, quick)));
  }
  if (results.length > 0 && sink === undefined) throw new Error('the measured code did not run');
  return results;
}

async function beside(policy: string, made: Policy, size: number, quick: boolean): Promise<BenchResult[]> {
  const all = fleet(size);
  const peers = peersOf(policy, all).map((peer, index) => ({ ...peer, name: `${index} ${peer.peer}` }));
  const subjects = [
    oursOf(policy, made, size),
    ...peers.map(({ name, pick }) => ({ name, run: repeat(pick) })),
  ];
  const medians = await measure(subjects, {
    clock: 'cpu',
    ...(quick ? { rounds: 3, turnMs: 5 } : { rounds: 11, turnMs: 20 }),
  });
  const value = medians.get('heddle') ?? Number.NaN;
  const goalNs = hashed.has(policy) ? 120 : 50;
  return peers.map(({ name, peer, detail }) => {
    const peerValue = medians.get(name) ?? Number.NaN;
    return {
      name: `pick-${policy}`,
      subject: 'heddle',
      unit: 'CPU ns',
      value,
      peer,
      peerValue,
      ratio: peerValue / value,
      detail: `${size} instances${detail === undefined ? '' : `, ${detail}`}`,
      // The goals are for a thousand; fewer cost no more.
      ...(size === 1000 && { goal: `at most ${goalNs} ns`, goalMet: value <= goalNs }),
    };
  });
}

function oursOf(policy: string, made: Policy, size: number): Subject {
  const picker = made(fleet(size), undefined);
  const plain = Call.root(runtime);
  const calls = hashed.has(policy) ? keyedCalls : keyedCalls.map(() => plain);
  return {
    name: 'heddle',
    run: (iterations) => {
      for (let n = 0; n < iterations; n++) sink = picker.pick(calls[n & 1023] as Call, noneExcluded);
    },
  };
}

function repeat(pick: (n: number) => unknown): Subject['run'] {
  return (iterations) => {
    for (let n = 0; n < iterations; n++) sink = pick(n);
  };
}
