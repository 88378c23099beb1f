import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { median } from '../measure.ts';
import type { BenchResult } from '../report.ts';

interface Taken {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly memoryMiB: number;
  readonly services: number;
}

/** One process of its own for each run, so that its memory is its own. */
function taken(subject: 'analyse' | 'louvain', size: number): Taken {
  const file = path.join(import.meta.dirname, 'subjects', `${subject}.ts`);
  const args = ['--conditions=@heddle/source', file, String(size), String(size / 50), String(size * 10)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 600_000 })) as Taken;
}

/** From a system to its report, ten dependencies for each capability; each size beside a single run of Louvain. */
export function scale(size: number, rounds: number): BenchResult[] {
  const runs = Array.from({ length: rounds }, () => ({
    ours: taken('analyse', size),
    theirs: taken('louvain', size),
  }));
  const middle = (of: (run: (typeof runs)[number]) => number): number => median(runs.map(of));
  const short = `${size / 1000}k`;
  const [seconds, peerSeconds] = [middle(({ ours }) => ours.seconds), middle(({ theirs }) => theirs.seconds)];
  const [memory, peerMemory] = [
    middle(({ ours }) => ours.memoryMiB),
    middle(({ theirs }) => theirs.memoryMiB),
  ];
  const cpu = middle(({ ours }) => ours.cpuSeconds).toFixed(1);
  const [found, theirs] = [runs[0]?.ours.services, runs[0]?.theirs.services];
  const detail = `grouping alone; ${found} services of ${size / 50} found, by it ${theirs}; ${cpu} s of processor`;
  const limits = size === 20_000;
  return [
    {
      name: `scale-${short}`,
      subject: 'heddle',
      unit: 's',
      value: seconds,
      peer: 'graphology-louvain',
      peerValue: peerSeconds,
      ratio: peerSeconds / seconds,
      detail,
      ...(limits && { goal: 'under 10 s', goalMet: seconds < 10 }),
    },
    {
      name: `memory-${short}`,
      subject: 'heddle',
      unit: 'MiB',
      value: memory,
      peer: 'graphology-louvain',
      peerValue: peerMemory,
      ratio: peerMemory / memory,
      ...(limits && { goal: 'under 1024 MiB', goalMet: memory < 1024 }),
    },
  ];
}
