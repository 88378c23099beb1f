// `npm run bench -- discovery`: the embedded registry beside etcd, Consul and Nacos, on the same work.
import type { BenchOptions, BenchOutcome, BenchResult, SkippedPeer } from '../report.ts';
import { type Contender, contenders } from './contender.ts';
import { type Growth, growth } from './growth.ts';
import { besideRaw, type RawPace } from './raw.ts';
import { medianRound, type Pace, playRound, type Round } from './work.ts';

const full: Pace = {
  services: 1000,
  watchers: 500,
  changes: 100,
  changesMs: 20_000,
  resolveMs: 2000,
  rounds: 3,
};
const quick: Pace = { services: 50, watchers: 50, changes: 20, changesMs: 5000, resolveMs: 500, rounds: 1 };
/** After its first round, a registry gets another one only if it will be done by then. */
const competitionMs = 300_000;
/** What has not begun by then is left out, and it is said. */
const runMs = 400_000;

/** What the adapters and their raw clients are given to do; who registers slowly gets less of it. */
const rawPaces: Readonly<Record<string, RawPace>> = {
  etcd: { pairs: 20, services: 15, resolveMs: 200 },
  consul: { pairs: 12, services: 3, resolveMs: 200 },
  nacos: { pairs: 10, services: 6, resolveMs: 200 },
};
const ours = 'embedded';

/** The measurements that all registries take part in. Of times and memory less is better. */
const measurements: readonly {
  readonly name: string;
  readonly unit: string;
  readonly lessIsBetter: boolean;
  readonly read: (round: Round) => number | undefined;
}[] = [
  {
    name: 'register-rate',
    unit: 'instances/s',
    lessIsBetter: false,
    read: (round) => round.registeredPerSecond,
  },
  { name: 'change-to-last-watcher-p99', unit: 'ms', lessIsBetter: true, read: (round) => round.changeP99Ms },
  { name: 'memory-10k', unit: 'MiB', lessIsBetter: true, read: (round) => round.memoryMib },
  { name: 'resolve-rate', unit: 'services/s', lessIsBetter: false, read: (round) => round.resolvedPerSecond },
];

/** Measures everything, or what `options.only` names; says on stderr what it is at. */
export async function discoveryBench({ quick: hasty, only }: BenchOptions): Promise<BenchOutcome> {
  const pace = hasty ? quick : full;
  const endMs = performance.now() + runMs;
  const wanted = (name: string): boolean => only === undefined || only === name;
  const results: BenchResult[] = [];
  const skipped: SkippedPeer[] = [];
  if (measurements.some(({ name }) => wanted(name))) {
    const { rounds, absent } = await compete(pace);
    for (const measurement of measurements.filter(({ name }) => wanted(name)))
      addMeasurement(measurement, rounds, results, skipped);
    for (const { name } of measurements.filter((each) => wanted(each.name)))
      skipped.push(...absent.map(({ peer, reason }) => ({ name, peer, reason })));
  }
  if (wanted('register-rate') || wanted('resolve-rate')) await addRaw(hasty, endMs, wanted, results, skipped);
  if (wanted('growth'))
    await addGrowth(hasty ? [1000, 10_000] : [1000, 10_000, 100_000], endMs, results, skipped);
  return { results, skipped };
}

/** Medians of so many rounds. */
interface Standing extends Round {
  readonly rounds: number;
}

interface Competition {
  readonly rounds: ReadonlyMap<string, Standing>;
  readonly absent: readonly { readonly peer: string; readonly reason: string }[];
}

/**
 * Round after round, each in its turn on a fresh server, as long as there is time; whoever fails once is out, and it is
 * said why.
 */
async function compete(pace: Pace): Promise<Competition> {
  const rounds = new Map<string, Round[]>();
  const absent = new Map<string, string>();
  const endMs = performance.now() + competitionMs;
  for (const contender of contenders) {
    const reason = await contender.missing();
    if (reason !== undefined) absent.set(contender.name, reason);
  }
  for (let round = 0; round < pace.rounds; round++) {
    for (const contender of contenders.filter(({ name }) => !absent.has(name))) {
      const played = rounds.get(contender.name) ?? [];
      if (performance.now() + (played[0]?.tookMs ?? 0) > endMs && played.length > 0) continue;
      process.stderr.write(`${contender.name}, round ${round + 1} …\n`);
      try {
        rounds.set(contender.name, [...played, await playRound(contender, pace)]);
      } catch (error) {
        if (contender.name === ours) throw error;
        rounds.delete(contender.name);
        absent.set(contender.name, firstLine(error));
      }
    }
  }
  return {
    rounds: new Map([...rounds].map(([name, all]) => [name, { ...medianRound(all), rounds: all.length }])),
    absent: [...absent].map(([peer, reason]) => ({ peer, reason })),
  };
}

function firstLine(error: unknown): string {
  return ((error as Error).message.split('\n')[0] ?? '').slice(0, 200);
}

function addMeasurement(
  { name, unit, lessIsBetter, read }: (typeof measurements)[number],
  rounds: ReadonlyMap<string, Standing>,
  results: BenchResult[],
  skipped: SkippedPeer[],
): void {
  const own = rounds.get(ours);
  const value = own && read(own);
  if (value === undefined) throw new Error(`${name}: the embedded registry could not be measured`);
  for (const [peer, round] of rounds) {
    if (peer === ours) continue;
    const peerValue = read(round);
    if (peerValue === undefined) {
      skipped.push({ name, peer, reason: 'not all instances were registered within 80 s' });
      continue;
    }
    const ratio = lessIsBetter ? peerValue / value : value / peerValue;
    const isGoal = name === 'change-to-last-watcher-p99' && peer === 'etcd';
    results.push({
      name,
      subject: ours,
      unit,
      value,
      peer,
      detail: round.rounds === 1 ? 'one round' : `${round.rounds} rounds`,
      peerValue,
      ratio,
      ...(isGoal && { goal: 'no worse than etcd', goalMet: ratio >= 1 }),
    });
  }
}

async function addRaw(
  hasty: boolean,
  endMs: number,
  wanted: (name: string) => boolean,
  results: BenchResult[],
  skipped: SkippedPeer[],
): Promise<void> {
  for (const [detail, pace] of Object.entries(rawPaces)) {
    const contender = contenders.find(({ name }) => name === detail) as Contender;
    process.stderr.write(`${detail} beside its raw client …\n`);
    try {
      const reason = await contender.missing();
      if (reason !== undefined) throw new Error(reason);
      if (performance.now() > endMs) throw new Error('no time was left for it');
      const { register, resolve } = await besideRaw(contender, hasty ? { ...pace, pairs: 2 } : pace);
      for (const [name, unit, { adapter: value, raw: peerValue, ratio }] of [
        ['register-rate', 'instances/s', register],
        ['resolve-rate', 'services/s', resolve],
      ] as const) {
        const goal = 'at most 10 % under the raw client';
        const common = { subject: `${detail} adapter`, peer: 'raw-client', detail, goal };
        if (wanted(name))
          results.push({ ...common, name, unit, value, peerValue, ratio, goalMet: ratio >= 0.9 });
      }
    } catch (error) {
      skipped.push({ name: 'register-rate', peer: `raw-client (${detail})`, reason: firstLine(error) });
    }
  }
}

/** Each cost of one instance at every size beside that at the smallest; linear growth is a ratio of 1. */
async function addGrowth(
  sizes: readonly number[],
  endMs: number,
  results: BenchResult[],
  skipped: SkippedPeer[],
): Promise<void> {
  process.stderr.write('growth …\n');
  const [first, ...more] = await growth(contenders[0] as Contender, sizes, endMs);
  for (const size of sizes.slice(1 + more.length))
    skipped.push({ name: 'growth', peer: `${size} instances`, reason: 'no time was left for it' });
  if (first === undefined) return;
  const costs: readonly [string, string, (of: Growth) => number][] = [
    ['growth', 'CPU us/registration', (of) => of.registerMicros],
    ['growth', 'KiB/instance', (of) => of.memoryKib],
    ['growth', 'CPU us/resolution', (of) => of.resolveMicros],
  ];
  for (const [name, unit, read] of costs)
    for (const each of more) {
      const ratio = read(first) / read(each);
      results.push({
        name,
        subject: `embedded, ${each.instances} instances`,
        unit,
        value: read(each),
        peer: 'embedded',
        detail: `${first.instances} instances`,
        peerValue: read(first),
        ratio,
        goal: 'no worse than linear',
        // What is measured is noisy; growth beyond linear would be a factor, not a tenth.
        goalMet: ratio >= 0.8,
      });
    }
}
