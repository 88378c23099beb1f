// What the built-in store does with a million spans, beside what it is to do.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { BenchOptions, BenchResult } from '../report.ts';

interface Measured {
  readonly perSecond: number;
  readonly edgesMs: number;
  readonly searchMs: number;
  readonly tagMs: number;
  readonly traceMs: number;
  readonly mostMiB: number;
}

/** All of the store's results come from one run of it. */
export function storeResults({ quick }: BenchOptions, wanted: (name: string) => boolean): BenchResult[] {
  const names = [
    'store-insert',
    'store-edges',
    'store-search',
    'store-search-tag',
    'store-trace',
    'store-memory',
  ];
  if (!names.some(wanted)) return [];
  process.stderr.write('store …\n');
  const program = path.join(import.meta.dirname, 'subjects/store.ts');
  const spans = quick ? 102_400 : 1_024_000;
  const ended = spawnSync(process.execPath, ['--conditions=@heddle/source', program, String(spans)], {
    encoding: 'utf8',
    timeout: 600_000,
  });
  if (ended.status !== 0) throw new Error(`the store: ${ended.stderr.slice(-2000)}`);
  const said = JSON.parse(ended.stdout) as Measured;
  const cost = (name: string, unit: string, value: number, most: number): BenchResult => ({
    ...line(name, unit, value, most, most / value),
    goal: `at most ${most} ${unit}`,
  });
  return [
    {
      ...line('store-insert', 'spans/s', said.perSecond, 100_000, said.perSecond / 100_000),
      goal: 'at least 100000 spans/s',
    },
    cost('store-edges', 'ms', said.edgesMs, 200),
    cost('store-search', 'ms', said.searchMs, 100),
    cost('store-search-tag', 'ms', said.tagMs, 100),
    cost('store-trace', 'ms', said.traceMs, 100),
    cost('store-memory', 'MiB', said.mostMiB, 600),
  ].filter(({ name }) => wanted(name));
}

function line(name: string, unit: string, value: number, goal: number, ratio: number): BenchResult {
  return { name, subject: 'heddle', unit, value, peer: 'goal', peerValue: goal, ratio, goalMet: ratio >= 1 };
}
