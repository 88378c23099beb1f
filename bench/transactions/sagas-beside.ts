import { median } from '../measure.ts';
import type { BenchResult } from '../report.ts';
import type { Contestant, Turn } from './per-second.ts';

/** At least so many times what the peer does in a second, by how many are at work at a time. */
const goals: Readonly<Record<string, Readonly<Record<number, number>>>> = { dbos: { 1: 4, 16: 10 } };

const details: Readonly<Record<string, string>> = {
  'raw-insert': 'one row, one commit',
  'raw-writes': 'its four writes, each a commit: the limit',
  temporal: 'three activities, in SQLite',
};

/** The first beside each of the others: how many in a second, and the CPU time of one, client and server together. */
export async function sagasBeside(
  contestants: readonly Contestant[],
  atOnce: number,
  turnMs: number,
  rounds: number,
): Promise<BenchResult[]> {
  const [ours, ...peers] = await inTurns(contestants, atOnce, turnMs, rounds);
  if (ours === undefined) return [];
  const shared = { name: `saga3-${atOnce}`, subject: 'heddle' };
  return peers.flatMap(({ name: peer, perSecond: peerValue, micros }) => {
    const detail = details[peer];
    const known = { ...shared, peer, ...(detail !== undefined && { detail }) };
    const ratio = ours.perSecond / peerValue;
    const least = goals[peer]?.[atOnce];
    const goal = least === undefined ? {} : { goal: `at least ${least}`, goalMet: ratio >= least };
    const rate = { ...known, unit: '1/s', value: ours.perSecond, peerValue, ratio, ...goal };
    if (ours.micros === undefined || micros === undefined) return [rate];
    const costs = { unit: 'CPU us/saga', value: ours.micros, peerValue: micros, ratio: micros / ours.micros };
    return [rate, { ...known, ...costs, perSecond: ours.perSecond, peerPerSecond: peerValue }];
  });
}

interface Score {
  readonly name: string;
  readonly perSecond: number;
  readonly micros: number | undefined;
}

/** Turn by turn, so that what disturbs the machine disturbs all. The first turn is for the compilers. */
async function inTurns(
  contestants: readonly Contestant[],
  atOnce: number,
  turnMs: number,
  rounds: number,
): Promise<Score[]> {
  const turns = contestants.map((): Turn[] => []);
  for (let round = 0; round <= rounds; round += 1)
    for (const [at, each] of contestants.entries()) {
      const turn = await each.turn(atOnce, turnMs);
      if (round > 0) turns[at]?.push(turn);
    }
  return contestants.map(({ name }, at) => {
    const own = turns[at] ?? [];
    const costs = own.flatMap(({ cost }) => (cost === undefined ? [] : [cost.here + cost.server]));
    return {
      name,
      perSecond: median(own.map(({ perSecond }) => perSecond)),
      micros: costs.length === 0 ? undefined : median(costs),
    };
  });
}
